# SPDX-License-Identifier: MIT
"""The engine's SQL functions as an orchestrator calls them, for tests.

Model: Engine wraps one connection. register() takes a graph as {step: [parents]} in step order, create() makes tasks of it,
and what the functions hand out comes back as rows; an `assign` row goes into settle() as it is.
"""
import hashlib
import json
import random
import time
import unittest
import uuid

from lib import pg

LEASE_MS = 30000
LOSSES_MAX = 10
PROCESSOR = str(uuid.UUID(int=7))
CHECK = "SELECT problem, task_uuid, step_uuid, detail FROM tasker.check_consistency($1)"

CHAIN = {"one": [], "two": ["one"], "three": ["two"], "four": ["three"]}
DIAMOND = {"start": [], "left": ["start"], "right": ["start"], "end": ["left", "right"]}
TREE = {"root": [], "l": ["root"], "r": ["root"], "ll": ["l"], "lr": ["l"], "rl": ["r"], "rr": ["r"],
        "converge": ["ll", "lr", "rl", "rr"]}
MIXED = {"init": [], "left": ["init"], "right": ["init"], "validate": ["left", "right"], "transform": ["left"],
         "analyze": ["right"], "finalize": ["validate", "transform", "analyze"]}
SHAPES = {"chain": CHAIN, "diamond": DIAMOND, "tree": TREE, "mixed": MIXED}


def new_uuid(at=None, _random=random.SystemRandom()):
    """A version 7 uuid of that moment (seconds), or of now."""
    ms = int((time.time() if at is None else at) * 1000)
    return str(uuid.UUID(int=ms << 80 | 7 << 76 | _random.getrandbits(12) << 64 | 2 << 62 | _random.getrandbits(62)))


def ancestors(graph, step):
    """All ancestors, nearest first, then by step number."""
    order, seen, level = list(graph), [], graph[step]
    while level:
        fresh = sorted(set(level) - set(seen), key=order.index)
        seen += fresh
        level = [p for name in fresh for p in graph[name]]
    return seen


def template_steps(graph, options):
    """What register_template wants to know of each step; options: {step or '*': {key: value}}."""
    order = list(graph)
    steps = []
    for no, name in enumerate(order):
        above = ancestors(graph, name)
        step = {"step_no": no, "name": name, "named_step_uuid": new_uuid(), "step_type": "standard", "retryable": True,
                "max_attempts": 3, "backoff": "exponential", "backoff_base_ms": 1000, "backoff_max_ms": 30000, "timeout_ms": None,
                "parents": len(graph[name]), "ancestors": [order.index(a) for a in above[:32]], "ancestors_all": len(above),
                "at_start": True}
        steps.append({**step, **options.get("*", {}), **options.get(name, {})})
    return steps


class Template:
    def __init__(self, digest, graph, namespace):
        self.digest, self.graph, self.namespace = digest, graph, namespace


class Engine:
    """single: whether batches of one go to the functions made for them (create_task, settle_step); None: every other one does, because
    nobody may notice a difference."""

    def __init__(self, conn, single=None):
        self.c, self._flows, self.single, self._calls = conn, 0, single, 0

    def _for_one(self, n):
        self._calls += 1
        return n == 1 and (self._calls % 2 == 1 if self.single is None else self.single)

    # -- templates and tasks --

    def register_row(self, graph, name=None, namespace="shop", version="1.0.0", replace=False, events=None, body=None, **options):
        """events: {step: [what it publishes]}, as a normalised template has them."""
        self._flows += 1
        name = name or f"flow_{self._flows}"
        steps = template_steps(graph, options)
        order = list(graph)
        edges = [{"from_no": order.index(p), "to_no": no} for no, step in enumerate(order) for p in graph[step]]
        plain = [{k: v for k, v in s.items() if k != "named_step_uuid"} for s in steps]
        body = {"name": name, "version": version, **(body or {}),
                "steps": [{"name": s, "publishes_events": [{"condition": "success", "delivery_mode": "durable", **e} for e in (events or {}).get(s, [])]}
                          for s in graph]}
        digest = hashlib.sha256(json.dumps([namespace, name, version, plain, edges, body]).encode()).hexdigest()
        row = self.c.query("SELECT * FROM tasker.register_template($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", namespace, name, version,
                           "a test", digest, "strict", body, json.dumps(steps), json.dumps(edges), replace)[0]
        return row, Template(digest, graph, namespace)

    def register(self, graph, **kwargs):
        return self.register_row(graph, **kwargs)[1]

    def create(self, template, n=1, credit=0, **fields):
        """n tasks of a template in one call; fields: context, priority, identity (a list), parent, task (a list)…"""
        return self.create_many([dict(fields, template=template, **{k: fields[k][i] for k in ("identity", "task") if k in fields})
                                 for i in range(n)], {template.namespace: credit})

    def create_many(self, requests, credit):
        steps, first = [], []
        for r in requests:
            first.append(len(steps) + 1)
            steps += [new_uuid() for _ in range(r.get("steps_n", len(r["template"].graph)))]

        def col(key, default):
            return [r.get(key, default() if callable(default) else default) for r in requests]
        of_request = [col("task", new_uuid), [r["template"].digest for r in requests], col("identity", lambda: uuid.uuid4().bytes),
                      col("context", '{"even_number": 6}'), col("priority", 0), col("correlation", new_uuid), col("parent", None),
                      col("initiator", "test"), col("source", "db"), col("reason", "to see it run"), col("tags", "[]"),
                      ["2026-01-02T03:04:05Z"] * len(requests)]
        of_call = [list(credit), list(credit.values()), LEASE_MS, PROCESSOR]
        times = [col(key, None) for key in ("run_at", "deadline", "timeout_s", "on_timeout")]
        if self._for_one(len(requests)):
            return self.c.query("SELECT * FROM tasker.create_task($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21)",
                                *[values[0] for values in of_request], steps, *of_call, *[values[0] for values in times])
        return self.c.query("SELECT * FROM tasker.create_tasks($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22)",
                            *of_request, steps, first, *of_call, *times)

    # -- steps --

    def settle(self, assigns, credit=None, success=True, retryable=True, delay_ms=-1, result=None, stages=None, **over):
        """Hands in a result for each assignment, all in one call. success: one for all, or one each."""
        credit = {"shop": 10000} if credit is None else credit
        ok = success if isinstance(success, list) else [success] * len(assigns)
        documents = [json.dumps(result if result is not None else {"success": s, "result": a["step_name"]}) for a, s in zip(assigns, ok)]
        args = {"step": [a["step_uuid"] for a in assigns], "task": [a["task_uuid"] for a in assigns],
                "attempt": [a["attempt"] for a in assigns], "msg": [a["msg_id"] for a in assigns], **over}
        of_call = [list(credit), list(credit.values()), LEASE_MS, PROCESSOR]
        if ok == [True] and self._for_one(1):
            return self.c.query("SELECT * FROM tasker.settle_step($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)", args["step"][0], args["task"][0],
                                args["attempt"][0], args["msg"][0], documents[0], "worker-1", 5, *of_call, stages)
        return self.c.query(
            "SELECT * FROM tasker.settle_steps($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)",
            args["step"], args["task"], args["attempt"], args["msg"], ok, [retryable] * len(assigns), [delay_ms] * len(assigns),
            documents, ["worker-1"] * len(assigns), [5] * len(assigns), *of_call, stages)

    def publish(self, assigns, events, refused=(), credit=None, success=True, retryable=True, result=None, **over):
        """Hands in results that bring durable events: (result from 1, condition, event)."""
        credit = {"shop": 10000} if credit is None else credit
        ok = success if isinstance(success, list) else [success] * len(assigns)
        error = {"message": "no", "error_type": "Nope"}
        documents = [json.dumps(result or {"success": s, "result": a["step_name"], "error": None if s else error}) for a, s in zip(assigns, ok)]
        args = {"attempt": [a["attempt"] for a in assigns], **over}
        return self.c.query(
            "SELECT * FROM tasker.settle_publishing($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19)",
            [a["step_uuid"] for a in assigns], [a["task_uuid"] for a in assigns], args["attempt"], [a["msg_id"] for a in assigns], ok,
            [retryable] * len(assigns), [-1] * len(assigns), documents, ["worker-1"] * len(assigns), [5] * len(assigns), list(credit),
            list(credit.values()), LEASE_MS, PROCESSOR, None, [e[0] for e in events], [e[1] for e in events],
            [e[2] if isinstance(e[2], str) else json.dumps(e[2]) for e in events], list(refused))

    def events(self, namespace="shop"):
        """What waits in the queue of its domain events, oldest first."""
        return [json.loads(m) for m in self.c.column(f"SELECT message::text FROM pgmq.q_{namespace}_domain_events ORDER BY msg_id")]

    def claim(self, n=100, namespaces=("shop",), losses_max=LOSSES_MAX, lease_ms=LEASE_MS, lost=None):
        return self.c.query("SELECT * FROM tasker.claim_steps($1, $2, $3, $4, $5, $6)", list(namespaces), [n] * len(namespaces),
                            lease_ms, losses_max, PROCESSOR, lost)

    def release(self, assigns, lost, losses_max=LOSSES_MAX, given_back=False):
        return self.c.query("SELECT * FROM tasker.release_steps($1, $2, $3, $4, $5, $6, $7, $8)", [a["step_uuid"] for a in assigns],
                            [a["attempt"] for a in assigns], [a["msg_id"] for a in assigns], [a["namespace"] for a in assigns],
                            [lost] * len(assigns), losses_max, PROCESSOR, given_back)

    def renew(self, assigns, lease_ms=LEASE_MS):
        """The assignments that do not hold any more."""
        gone = self.c.column("SELECT tasker.renew_leases($1, $2, $3, $4, $5)", [a["step_uuid"] for a in assigns], [a["attempt"] for a in assigns],
                             [a["msg_id"] for a in assigns], [a["namespace"] for a in assigns], lease_ms)
        return [assigns[i - 1] for i in gone]

    def fire(self, credit=None, limit=100):
        credit = {"shop": 10000} if credit is None else credit
        return self.c.query("SELECT * FROM tasker.fire_timers($1, $2, $3, $4, $5)", limit, list(credit), list(credit.values()),
                            LEASE_MS, PROCESSOR)

    def cancel(self, task):
        return self.c.query("SELECT * FROM tasker.cancel_task($1, $2, $3, $4)", task, "someone", "no longer wanted", PROCESSOR)

    def act(self, task, name, action, actor="pat", reason="seen to it", data=None):
        """A manual action on the step of that name."""
        return self.c.query("SELECT * FROM tasker.act_on_step($1, $2, $3, $4, $5, $6, $7)", task, self.step(task, name).workflow_step_uuid, action,
                            actor, reason, None if data is None else json.dumps(data), PROCESSOR)

    def hold(self, task, on=True, bits=1):
        return self.c.query("SELECT * FROM tasker.hold_tasks($1, $2, $3, $4, $5, $6)", [task], bits, on, "pat", "wait a moment", PROCESSOR)

    def start_now(self, task):
        return self.c.query("SELECT * FROM tasker.start_tasks($1, $2, $3, $4)", [task], "pat", "the file is there", PROCESSOR)

    def hold_group(self, on, namespace="shop", name=None, version=None, limit=1000):
        """All pages of it."""
        rows, after = [], None
        while True:
            page = self.c.query("SELECT * FROM tasker.hold_group($1, $2, $3, $4, $5, $6, $7, $8, $9)", namespace, name, version, on, "pat", "stop", after,
                                limit, PROCESSOR)
            rows += page
            after = next((r.task_uuid for r in of(page, "next")), None)
            if not after:
                return rows

    def rerun(self, task, name, context=None, actor="pat", reason="once more"):
        return self.c.query("SELECT * FROM tasker.rerun_step($1, $2, $3, $4, $5, $6)", task, self.step(task, name).workflow_step_uuid, context, actor, reason,
                            PROCESSOR)

    def bulk(self, action, dry=False, limit=1000, steps=1000, after=None, data=None, actor="pat", reason="all of them", **filters):
        values = [filters.pop(k, None) for k in ("namespace", "name", "version", "state", "initiator", "tag", "correlation", "created_after", "created_before", "step", "step_state")]
        assert not filters, filters
        return self.c.query("SELECT * FROM tasker.bulk_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)", action, *values,
                            dry, actor, reason, None if data is None else json.dumps(data), after, limit, steps, PROCESSOR)

    def sweep(self, idle_s=0, limit=100, after=None):
        return self.c.query("SELECT * FROM tasker.sweep($1, $2, $3)", idle_s, limit, after)

    def detect(self, limits=(60, 30, 30, 0, 15), served=(), dry=False, move=True, fail=True, most=100, after=None, page=1000):
        """limits: minutes as tasker._staleness takes them."""
        return self.c.query("SELECT * FROM tasker.detect_stale_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9)", list(limits), list(served), dry, move, fail, most,
                            after, page, PROCESSOR)

    def tidy(self, keep_s=86400, after=None, page=1000):
        return self.c.query("SELECT * FROM tasker.close_dead_letters($1, $2, $3)", keep_s, after, page)

    def entries(self, task):
        """Entries in the dead-letter queue, oldest first."""
        entries = self.c.query("SELECT * FROM tasker.dead_letters WHERE task_uuid = $1 ORDER BY created_at", task)
        for e in entries:
            e["task_snapshot"], e["metadata"] = json.loads(e["task_snapshot"]), json.loads(e["metadata"])
        return entries

    def revive(self, entry, actor="pat", reason="mended"):
        return self.c.query("SELECT * FROM tasker.revive_dead_letter($1, $2, $3, $4)", entry, actor, reason, PROCESSOR)

    def bulk_letters(self, action="revive", dry=False, limit=1000, after=None, **filters):
        values = [filters.get(k) for k in ("why", "namespace", "name", "version")]
        return self.c.query("SELECT * FROM tasker.bulk_dead_letters($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", action, *values, dry, "pat", "all mended",
                            after, limit, PROCESSOR)

    # -- the test's own hand on the clock --

    def age(self, task, minutes):
        """Everything of the task happened so much earlier."""
        ago = f"interval '{minutes} minutes'"
        self.c.query(f"UPDATE tasker.tasks SET created_at = created_at - {ago}, updated_at = updated_at - {ago} WHERE task_uuid = $1", task)
        self.c.query(f"UPDATE tasker.open_tasks SET created_at = created_at - {ago} WHERE task_uuid = $1", task)
        self.c.query(f"UPDATE tasker.workflow_steps SET updated_at = updated_at - {ago}, dispatched_at = dispatched_at - {ago}, "
                     f"next_retry_at = next_retry_at - {ago} WHERE task_uuid = $1", task)
        self.c.query(f"UPDATE tasker.dead_letters SET dlq_timestamp = dlq_timestamp - {ago}, resolution_timestamp = resolution_timestamp - {ago} "
                     "WHERE task_uuid = $1", task)

    def end_lease(self, assign):
        """The lease of an assignment has run out."""
        self.c.query(f"UPDATE pgmq.q_worker_{assign['namespace']}_queue SET vt = clock_timestamp() - interval '1 second' "
                     "WHERE msg_id = $1", assign["msg_id"])

    def wait(self, seconds, task):
        """What waits of a task has waited so much longer."""
        self.c.query(f"UPDATE pgmq.q_worker_{self.task(task).namespace}_queue SET vt = vt - $1 * interval '1 second' "
                     "WHERE message ->> 'task_uuid' = $2", seconds, task)

    def end_pauses(self):
        """All retry pauses are over."""
        self.c.query("UPDATE tasker.step_timers SET due_at = clock_timestamp() - interval '1 second'")

    def pass_time(self, seconds):
        """Everything that was to come is so much nearer."""
        for change in ("tasks SET run_at = run_at - $1, started_at = started_at - $1, deadline = deadline - $1", "open_tasks SET due_at = due_at - $1",
                       "queue_timers SET due_at = due_at - $1", "step_timers SET due_at = due_at - $1"):
            self.c.query(f"UPDATE tasker.{change.replace('$1', '$1::interval')}", f"{seconds} seconds")

    # -- looking --

    def at(self, seconds):
        """The moment so many seconds from now, by the database's clock."""
        return self.c.value("SELECT clock_timestamp() + $1 * interval '1 second'", seconds)

    def task(self, task):
        return self.c.query("SELECT * FROM tasker.tasks WHERE task_uuid = $1", task)[0]

    def step(self, task, name):
        return self.c.query("SELECT * FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = $2", task, name)[0]

    def states(self, task):
        return {r.name: r.state for r in
                self.c.query("SELECT name, state FROM tasker.workflow_steps WHERE task_uuid = $1 ORDER BY step_no", task)}

    def ready(self, task):
        """Names of the steps the graph itself says may run."""
        return set(self.c.column("SELECT name FROM tasker.get_step_readiness_status($1) WHERE ready_for_execution", task))

    def history(self, task, name):
        return [(r.from_state, r.to_state, r.attempt, r.reason) for r in self.c.query(
            "SELECT h.from_state, h.to_state, h.attempt, h.reason FROM tasker.workflow_step_transitions h "
            "JOIN tasker.workflow_steps s USING (workflow_step_uuid) WHERE s.task_uuid = $1 AND s.name = $2 ORDER BY h.at", task, name)]

    def messages(self, namespace="shop"):
        return self.c.value(f"SELECT count(*) FROM pgmq.q_worker_{namespace}_queue")


def of(rows, *kinds):
    return [r for r in rows if r["kind"] in kinds]


def kinds(rows):
    """How many rows of each kind, without those that are there every time, and without the entry that a task that blocks gets."""
    count = {}
    for r in rows:
        if r["kind"] not in ("next", "more", "dead_letter"):
            count[r["kind"]] = count.get(r["kind"], 0) + 1
    return count


class DbTest(unittest.TestCase):
    """Every test in its own fresh database, which must be consistent when the test ends."""
    consistent = True

    def setUp(self):
        server = pg.shared()
        self.db = server.database(server.migrated())
        self.e = Engine(self.connect())
        self.c = self.e.c
        self.addCleanup(self.finish)

    def connect(self):
        conn = pg.shared().connect(self.db)
        self.addCleanup(conn.close)
        return conn

    def finish(self):
        if self.consistent:
            self.assertEqual(self.c.query(CHECK, None), [])

    def one(self, rows, kind):
        """The only row of this kind."""
        found = of(rows, kind)
        self.assertEqual(len(found), 1, f"{len(found)} rows of kind {kind} in {kinds(rows)}")
        return found[0]

    def start(self, graph, credit=10000, **kwargs):
        """One task of a new template: (its uuid, its first assignments)."""
        rows = self.e.create(self.e.register(graph, **kwargs), credit=credit)
        return self.one(rows, "created").task_uuid, of(rows, "assign")
