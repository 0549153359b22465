# SPDX-License-Identifier: MIT
"""A task and all that its steps have started, and theirs: one history each, replayed side by side, because what becomes of one decides about another.

A transaction that touched several of them is taken apart; the child's part comes first, since its end is what its parent's step is told. But who is called
off comes after its parent, which had to stop waiting first.
"""
import history
from replay import ENGINE, Replay
from rules import Refusal, Times

_FAMILIES = """WITH RECURSIVE family(root, task, depth) AS (
  SELECT u, u, 0 FROM unnest($1::uuid[]) u
  UNION ALL SELECT f.root, st.child_uuid, f.depth + 1 FROM family f JOIN tasker.sub_tasks st ON st.parent_uuid = f.task) """
# What is still to happen by itself: somewhere a step is at work, a moment or a child's end is due.
_RESTLESS = _FAMILIES + """SELECT DISTINCT f.root FROM family f JOIN tasker.tasks t ON t.task_uuid = f.task
 WHERE t.active_steps > 0 OR (t.retry_steps > 0 AND EXISTS (SELECT 1 FROM tasker.step_timers x WHERE x.task_uuid = f.task))
    OR EXISTS (SELECT 1 FROM tasker.open_tasks o WHERE o.task_uuid = f.task AND o.due_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM tasker.sub_task_dues d WHERE d.child_uuid = f.task)"""
_UNMENDED = _FAMILIES + """SELECT s.task_uuid, s.workflow_step_uuid FROM family f JOIN tasker.sub_tasks st ON st.child_uuid = f.task AND st.wait_blocked
  JOIN tasker.workflow_steps w ON w.workflow_step_uuid = st.step_uuid AND w.attempts = st.attempt AND w.state = 'enqueued_for_orchestration'
  JOIN tasker.workflow_steps s ON s.task_uuid = f.task AND s.state = 'error'"""


def restless(conn, tasks):
    """Those of the tasks that have yet to come to rest, they or what they have started."""
    return set(conn.column(_RESTLESS, tasks)) if tasks else set()


def unmended(conn, task):
    """Failed steps, below the task, that somebody waits for."""
    return conn.query(_UNMENDED, [task])


def below(conn, task):
    """What the task and those it has started have started so far."""
    return conn.column(_FAMILIES + "SELECT task FROM family WHERE depth > 0 ORDER BY depth DESC", [task])


def read(conn, tasks):
    """{task: its history and those of all that it has started, parents first}."""
    found = conn.query(_FAMILIES + "SELECT root, task FROM family ORDER BY depth", tasks) if tasks else []
    histories = history.read(conn, [row.task for row in found])
    return {task: [histories[row.task] for row in found if row.root == task] for task in tasks}


def _turn(depth, tx):
    called_off = any(m.to == "cancelled" and m.metadata.get("actor") == ENGINE for m in tx.moves)
    return depth if called_off else -depth


class Family:
    def __init__(self, templates, histories, times, faults, losses_max):
        self.replays = {}
        for h in histories:
            template = templates[h.name]
            ask = times if h is histories[0] else Times(takes_s=template.timeout_s, ends=template.on_timeout)
            self.replays[h.task] = Replay(template, h, ask, faults, losses_max, self.replays)

    def check(self):
        """What the real system did that the rules do not allow; None when they agree."""
        replays = list(self.replays.values())
        parts = [(tx.at, tx.xid, _turn(depth, tx), replay, tx) for depth, replay in enumerate(replays) for tx in replay.h.transactions]
        try:
            for _, _, _, replay, tx in sorted(parts, key=lambda part: part[:3]):
                replay.apply(tx)
            for replay in replays:
                replay.same_end()
        except Refusal as e:
            return f"{e}" + "".join(f"\n    {tx.at % 10**9:9} {r.h.name} {tx}" for _, _, _, r, tx in sorted(parts, key=lambda part: part[:3]))
        return None
