# SPDX-License-Identifier: MIT
"""What the real system wrote down about tasks: their rows as they are now, and their history cut into transactions.

History rows are only ever inserted, so the hidden column xmin of each says which transaction wrote it. That is the whole trick:
what one call of an engine function did to one task lies side by side, and replay.py can ask whether the rules allow it.

The order is that of the commits, which the server keeps (track_commit_timestamp): whoever changes a task holds its row until then, so the
next one begins after it. The times in the rows say less: they are read before the wait for that lock.
"""
import json
from dataclasses import dataclass, field

def _us(moment):
    return f"(extract(epoch FROM {moment}) * 1000000)::bigint"


_WHEN = f"h.xmin::text, {_us('pg_xact_commit_timestamp(h.xmin)')}, {_us('h.at')}"
_EVER = """SELECT x.workflow_step_uuid AS id, x.name FROM tasker.workflow_steps x WHERE x.task_uuid = t.task_uuid
           UNION ALL SELECT x.workflow_step_uuid, x.name FROM tasker.superseded_steps x WHERE x.task_uuid = t.task_uuid"""
_QUERY = f"""
SELECT json_build_object(
  'task', t.task_uuid, 'name', (SELECT nt.name FROM tasker.named_tasks nt WHERE nt.named_task_uuid = t.named_task_uuid), 'state', t.state, 'held', t.held, 'context', t.context, 'deadline', {_us('t.deadline')}, 'started_at', {_us('t.started_at')},
  'counters', json_build_array(t.total_steps, t.open_steps, t.failed_steps, t.active_steps, t.retry_steps),
  'steps', (SELECT json_object_agg(s.name, json_build_object('id', s.workflow_step_uuid, 'state', s.state, 'attempts', s.attempts, 'forgiven', s.forgiven, 'losses', s.losses,
              'unmet', s.unmet_parents, 'no_room', s.no_room, 'no', s.step_no, 'instance', s.instance)) FROM tasker.workflow_steps s WHERE s.task_uuid = t.task_uuid),
  'edges', (SELECT json_agg(json_build_array(a.name, b.name)) FROM tasker.workflow_steps b
              JOIN tasker.workflow_step_edges e ON e.to_step_uuid = b.workflow_step_uuid
              JOIN tasker.workflow_steps a ON a.workflow_step_uuid = e.from_step_uuid WHERE b.task_uuid = t.task_uuid),
  'rows', (SELECT json_agg(json_build_array({_WHEN}, s.id, s.name, h.from_state, h.to_state, h.attempt, h.actor, h.reason))
              FROM ({_EVER}) s JOIN tasker.workflow_step_transitions h ON h.workflow_step_uuid = s.id AND h.task_uuid = t.task_uuid),
  'reruns', (SELECT json_agg(json_build_array(g.xmin::text, g.from_step)) FROM tasker.task_generations g WHERE g.task_uuid = t.task_uuid),
  'events', (SELECT json_agg(json_build_array(e.xmin::text, {_us('pg_xact_commit_timestamp(e.xmin)')}, e.message #>> '{{metadata,step_uuid}}', (e.message #>> '{{metadata,attempt}}')::int, e.message ->> 'event_name'))
               FROM pgmq.q_model_domain_events e WHERE e.message #>> '{{metadata,task_uuid}}' = t.task_uuid::text),
  'moves', (SELECT json_agg(json_build_array({_WHEN}, h.from_state, h.to_state, h.metadata))
              FROM tasker.task_transitions h WHERE h.task_uuid = t.task_uuid),
  'results', (SELECT json_agg(json_build_array(s.id, r.attempt, r.success, r.worker_id, r.result->'result', r.result->'error', r.result->'metadata'->'retryable'))
              FROM ({_EVER}) s JOIN tasker.step_results r ON r.workflow_step_uuid = s.id AND r.task_uuid = t.task_uuid))::text
  FROM tasker.tasks t WHERE t.task_uuid = ANY ($1)"""


@dataclass
class Row:
    """A step's change."""
    at: int  # µs
    id: str  # a name is given anew to what a rerun makes anew
    step: str
    was: str
    to: str
    attempt: int
    actor: str
    reason: str


@dataclass
class Move:
    """A task's change."""
    at: int
    was: str
    to: str
    metadata: dict

    def __post_init__(self):
        self.metadata = self.metadata or {}


@dataclass
class Transaction:
    xid: str
    at: int  # when it was committed, µs
    rows: list = field(default_factory=list)
    moves: list = field(default_factory=list)
    events: list = field(default_factory=list)  # durable ones: (step, attempt, name)
    rerun: str = None  # the step from which on the task runs again

    def __str__(self):
        said = [f"{r.step} {r.was}→{r.to}#{r.attempt}" + (f" ({r.reason})" if r.reason else "") for r in self.rows]
        return "; ".join(said + [f"task {m.was}→{m.to}" for m in self.moves])


@dataclass
class Result:
    success: bool
    worker: str
    value: dict
    error: dict
    retryable: bool


class History:
    def __init__(self, document):
        self.task, self.name, self.state, self.held = document["task"], document["name"], document["state"], document["held"]
        self.deadline, self.started_at = document["deadline"], document["started_at"]
        self.context, self.counters, self.steps = document["context"], tuple(document["counters"]), document["steps"]
        self.edges = {tuple(e) for e in document["edges"] or []}
        self.results = {(step, attempt): Result(*rest) for step, attempt, *rest in document["results"] or []}
        found = {}
        for xid, committed, *rest in document["rows"] or []:
            found.setdefault(xid, Transaction(xid, committed)).rows.append(Row(*rest))
        for xid, committed, *rest in document["moves"] or []:
            found.setdefault(xid, Transaction(xid, committed)).moves.append(Move(*rest))
        for xid, step in document["reruns"] or []:
            found[xid].rerun = step
        for xid, committed, *event in document["events"] or []:
            found.setdefault(xid, Transaction(xid, committed)).events.append(tuple(event))
        self.transactions = sorted(found.values(), key=lambda tx: tx.at)


def read(conn, tasks):
    """The histories of these tasks: {task: History}."""
    return {h.task: h for h in map(History, map(json.loads, conn.column(_QUERY, tasks)))} if tasks else {}
