# SPDX-License-Identifier: MIT
"""What the hot functions do to the tables, statement by statement: always by index, and never more than their work.

Model: auto_explain hands the plan of every nested statement, with counted rows, to the client as a notice. The same calls run
on an empty database, on a large one whose statistics still say empty, and on the large one analyzed.
"""
import itertools
import json

import sub_tasks
from engine import DIAMOND, DbTest, new_uuid, of
from lib.pg import Conn, PgError

TASKS = 4000
BATCH = 40
ROWS_MAX = 40 * BATCH  # rows one plan node may look at; the large tables have many times as many
A_LOOK = {"queue_waiting": 20000}  # counts what waits, up to a bound, every few seconds
SMALL = {"meta", "namespaces"}  # one row per queue
OBSERVE = ("auto_explain.log_min_duration = 0", "auto_explain.log_nested_statements = on", "auto_explain.log_analyze = on",
           "auto_explain.log_timing = off", "auto_explain.log_format = json", "auto_explain.log_level = notice",
           "client_min_messages = notice")
SCANS = ("Index Scan", "Index Only Scan", "Bitmap Index Scan")


# Other templates of the same shape, so that the tables of templates are large too.
COPIES = """
CREATE TEMP TABLE copies AS SELECT n, encode(sha256(n::text::bytea), 'hex') AS digest FROM generate_series(1, 500) n;
INSERT INTO tasker.templates (digest, body, step_count) SELECT c.digest, t.body, t.step_count FROM copies c, tasker.templates t;
INSERT INTO tasker.template_steps
SELECT (jsonb_populate_record(s, jsonb_build_object('digest', c.digest))).* FROM copies c, tasker.template_steps s;
INSERT INTO tasker.template_edges SELECT c.digest, e.from_no, e.to_no, e.from_pos, e.to_pos FROM copies c, tasker.template_edges e;
INSERT INTO tasker.named_tasks (namespace_uuid, name, version, digest)
SELECT t.namespace_uuid, t.name || c.n, t.version, c.digest FROM copies c, tasker.named_tasks t;
"""


def nodes(plan, above=""):
    """Every node with the type of the one above it."""
    yield plan, above
    for child in plan.get("Plans", ()):
        yield from nodes(child, plan["Node Type"])


def complaints(query, plan, rows_max=ROWS_MAX):
    """What is wrong with one plan, in words."""
    for node, above in nodes(plan):
        pairs = node.get("Rows Removed by Join Filter", 0) * node.get("Actual Loops", 0)
        if pairs > max(rows_max, 4 * BATCH * BATCH):  # a batch with itself is few
            yield f"compares {pairs:.0f} pairs of rows: {query}"
        relation = node.get("Relation Name", node.get("Index Name"))
        if relation is None or relation in SMALL or node["Node Type"] == "ModifyTable":
            continue
        rows = (node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0)) * node.get("Actual Loops", 0)
        if node["Node Type"] == "Seq Scan":
            yield f"reads all of {relation}: {query}"
        elif node["Node Type"] in SCANS and "Index Cond" not in node and above != "Limit":  # the least of an index is one look at its end
            yield f"walks the whole index {node['Index Name']} of {relation}: {query}"
        if rows > rows_max:
            yield f"looks at {rows:.0f} rows of {relation} ({node['Node Type']}): {query}"


# An analyzer, its workers and their convergence.
GROWING = {"analyze": [], "work": ["analyze"], "join": ["work"]}
GROWS = {"analyze": {"step_type": "batchable"}, "work": {"at_start": False, "step_type": "batch_worker"},
         "join": {"at_start": False, "step_type": "deferred_convergence"}}


class Plans(DbTest):
    def setUp(self):
        super().setUp()
        for table in self.c.column("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace IN "
                                   "('tasker'::regnamespace, 'pgmq'::regnamespace)"):
            self.c.script(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        self.template = self.e.register(DIAMOND)

    def observe(self):
        try:
            self.c.script("LOAD 'auto_explain'")
        except PgError as e:
            self.skipTest(f"this server has no auto_explain: {e}")
        for setting in OBSERVE:
            self.c.script(f"SET {setting}")
        self.c.notices.clear()

    def found(self, rows_max=ROWS_MAX):
        """(number of statements seen, what is wrong with them); forgets them."""
        plans = [json.loads(n[n.index("{"):]) for n in self.c.notices if "plan:" in n]
        self.c.notices.clear()
        return len(plans), sorted({c for p in plans for c in complaints(p["Query Text"], p["Plan"], rows_max)})

    def every_hot_call(self):
        """Each function of the hot path once, with a batch; yields its name after each call."""
        e, some = self.e, {"shop": BATCH}
        held = of(e.create(self.template, n=2 * BATCH, credit=BATCH), "assign")
        yield "create_tasks"
        held += of(e.claim(BATCH), "assign")
        yield "claim_steps"
        e.renew(held[:BATCH])
        yield "renew_leases"
        self.c.query("SELECT * FROM tasker.queue_waiting($1)", ["shop"])
        yield "queue_waiting"
        e.release(held[:5], lost=False)
        yield "release_steps"
        e.single = True
        e.settle(held[-2:-1], some)
        yield "settle_step"
        out = of(e.settle(held[5:5 + BATCH], some), "assign")
        yield "settle_steps, success"
        e.settle(held[5:5 + BATCH], some)
        yield "settle_steps, again"
        e.settle(out, some, success=[n % 2 == 0 for n in range(len(out))], delay_ms=0)
        yield "settle_steps, failures"
        e.fire(some)
        yield "fire_timers"
        template = e.register(DIAMOND, **{"*": {"queue_timeout_ms": 60000}})
        e.create(template, n=5, credit=0, run_at=e.at(60))
        e.create(template, n=10, credit=5, timeout_s=60)
        e.create(template, n=5, credit=0)
        e.claim(2)
        yield "create_tasks, times"
        e.pass_time(61)
        self.c.notices.clear()
        e.fire(some)
        yield "fire_timers, times"
        e.settle(held[50:60], some, success=False, retryable=False)
        yield "settle_steps, permanent"
        e.end_lease(held[-1])
        e.claim(5, losses_max=0)
        yield "claim_steps, lost"
        middle = self.c.value("SELECT task_uuid FROM tasker.open_tasks ORDER BY task_uuid OFFSET 50 LIMIT 1")
        e.detect(page=BATCH, after=middle)
        yield "detect_stale_tasks"
        e.tidy(page=BATCH, after=self.c.value("SELECT dlq_entry_uuid FROM tasker.dead_letters LIMIT 1"))
        yield "close_dead_letters"
        e.cancel(held[0].task_uuid)
        yield "cancel_task"
        self.c.query("SELECT * FROM tasker.fetch_results($1, $2, -1, 0)", held[0].task_uuid, ["start", "end"])
        yield "fetch_results"
        self.c.query("SELECT * FROM tasker.task_responses($1, true)", [held[0].task_uuid])
        yield "task_responses"
        self.c.query("SELECT * FROM tasker.step_responses($1, NULL)", held[0].task_uuid)
        yield "step_responses"

    def every_growth(self):
        """Results that let their graphs grow, and instances that make room for others."""
        e, some = self.e, {"shop": BATCH}
        growing = e.register(GROWING, name="growing", **GROWS)  # the same each time
        held = of(e.create(growing, n=10, credit=10, steps_n=1), "assign")
        yield "create_tasks, analyzers"
        self.c.query("SELECT * FROM tasker.growth_begin($1, $2, $3, $4)", [a.step_uuid for a in held], [a.task_uuid for a in held],
                     [a.attempt for a in held], [a.msg_id for a in held])
        yield "growth_begin"
        task, no, instance, name, inputs, waits = [], [], [], [], [], []
        for a in held:
            for i in range(1, 5):
                task.append(a.task_uuid), no.append(1), instance.append(i), name.append(f"work_{i}"), inputs.append("{}"), waits.append(i > 2)
            task.append(a.task_uuid), no.append(2), instance.append(0), name.append("join"), inputs.append(None), waits.append(False)
        edges = [a.task_uuid for a in held for _ in range(2)]
        self.c.query("SELECT tasker.grow_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", task, [new_uuid() for _ in task], no, instance, name, inputs, waits,
                     edges, [0, 1] * len(held), [1, 2] * len(held))
        yield "grow_tasks"
        work = of(e.settle(held, some), "assign")
        self.assertEqual(len(work), 20)
        yield "settle_steps, analyzers"
        more = of(e.settle(work[:8], some), "assign")
        self.assertEqual(len(more), 8)
        yield "_make_room"
        e.settle(more, some, success=False, retryable=False)
        yield "settle_steps, failed instances"

    def every_sub_task(self):
        """A step starts a task and waits: the ways on from there."""
        e = self.e
        held = of(e.create(self.template, n=6, credit=6), "assign")
        yield "create_tasks, parents"
        started = [sub_tasks.start(e, a, self.template) for a in held]
        child = [next(r.task_uuid for r in rows if r.kind == "waits") for rows in started]
        first = [of(rows, "assign")[0] for rows in started]
        yield "start_sub_task"
        sub_tasks.look(e)
        yield "settle_sub_tasks, nothing due"
        e.settle(first[:2], success=False, retryable=False)
        yield "settle_steps, a child is blocked"
        e.cancel(held[2].task_uuid)
        e.cancel(child[3])
        yield "cancel_task, with relatives"
        todo = first[4:]
        while todo:
            todo = of(e.settle(todo), "assign")
        yield "settle_steps, a child ends"
        self.assertEqual(len(of(sub_tasks.look(e), "sub_task")), 6)
        yield "settle_sub_tasks"
        self.c.query("SELECT * FROM tasker.sub_task_tree($1, 100)", held[0].task_uuid)
        yield "sub_task_tree"

    def look(self, what):
        self.observe()
        for name in itertools.chain(self.every_hot_call(), self.every_growth(), self.every_sub_task()):
            seen, wrong = self.found(A_LOOK.get(name, ROWS_MAX))
            with self.subTest(f"{name} on {what} tables"):
                self.assertEqual(wrong, [])
                self.assertGreater(seen, 0)
        self.c.script("SET auto_explain.log_min_duration = -1")

    def fill(self, tasks=TASKS):
        """A large database: many templates; most steps wait, many are held, some wait for a retry, none is in the queue."""
        self.c.script(COPIES)
        loader = type(self.e)(Conn(self.c_url()))
        with loader.c:
            for _ in range(tasks // 1000):
                held = of(loader.create(self.template, n=1000, credit=1000), "assign")
                loader.settle(held[:300])
                loader.settle(held[300:400], success=False, delay_ms=3000000)
                for a in held[400:600]:
                    sub_tasks.start(loader, a, self.template, credit=0)

    def c_url(self):
        from lib import pg
        return pg.shared().url(self.db, pg.HOT)

    def test_a_step_of_a_large_task_costs_what_one_of_a_small_task_does(self):
        graph = {"start": [], **{f"w{i}": ["start"] for i in range(600)}, **{f"x{i}": [f"w{i}"] for i in range(600)}}
        template = self.e.register(graph, name="large")
        self.e.create(self.e.register(DIAMOND, name="others", namespace="bank"), n=500)
        start, = of(self.e.create(template, credit=1000), "assign")
        held = of(self.e.settle([start], {"shop": 1000}), "assign")
        self.assertEqual(len(held), 600)
        for what in ("no", "new"):
            self.observe()
            for single in (True, False):
                self.e.single = single
                held += of(self.e.settle([held.pop(0)], {"shop": 10}), "assign")
                held += of(self.e.settle([held.pop(0) for _ in range(3)], {"shop": 10}), "assign")
            self.e.settle([held.pop(0)], success=False, delay_ms=0)
            self.e.fire({"shop": 10})
            self.e.release([held.pop(0)], lost=False)
            self.e.claim(10)
            self.assertEqual(self.found(rows_max=60)[1], [], f"with {what} statistics")
            self.c.script("SET auto_explain.log_min_duration = -1")
            self.c.script("VACUUM ANALYZE")

    def test_plans_made_for_small_templates_serve_large_ones(self):
        def run(template):
            for single in (True, False):
                self.e.single = single
                rows = self.e.create(template, credit=1000)
                self.e.settle(of(rows, "assign")[:1])
                self.c.query("SELECT * FROM tasker.task_responses($1, true)", [of(rows, "created")[0].task_uuid])
        run(self.template)  # this session's plans are those of a few small templates
        layers = {f"s{at}_{i}": [f"s{at - 1}_{k}" for k in range(10)] if at else [] for at in range(10) for i in range(10)}
        template = self.e.register({"start": [], **layers, "s0_0": ["start"]}, name="layers")
        self.observe()
        run(template)
        edges = 901  # read once for each task, and twice for an answer
        self.assertEqual(self.found(rows_max=2 * edges)[1], [])

    def test_empty_tables(self):
        self.look("empty")

    def test_large_tables_with_old_and_with_new_statistics(self):
        self.fill()
        self.assertGreater(self.c.value("SELECT count(*) FROM tasker.workflow_steps"), 3 * TASKS)
        self.look("large, never analyzed,")
        self.c.script("VACUUM ANALYZE")
        self.look("large")

    def test_a_growth_that_was_taken_back_and_comes_again(self):
        """ANALYZE found one row in many pages: PostgreSQL takes a walk through a whole index to cost as little as one key of it."""
        n = 1000
        a, = of(self.e.create(self.e.register(GROWING, name="growing", **GROWS), credit=1, steps_n=1), "assign")
        task = [a.task_uuid] * (n + 1)

        def grow(conn):
            conn.script("BEGIN")
            conn.query("SELECT tasker.grow_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", task, [new_uuid() for _ in task], [1] * n + [2],
                       [*range(1, n + 1), 0], [f"work_{i}" for i in range(n)] + ["join"], ["{}"] * n + [None], [False] * (n + 1), task[:2], [0, 1], [1, 2])
        grow(self.c)
        self.c.script("ROLLBACK")
        for credit in (0, 2 * n):
            self.c = Conn(self.c_url())  # nothing is planned yet
            self.c.script("CREATE TEMP TABLE grown AS SELECT oid, pg_relation_size(oid) / 8192 AS pages FROM pg_class "
                          "WHERE oid IN ('tasker.workflow_steps'::regclass, 'tasker.workflow_step_edges'::regclass)")
            self.c.script("VACUUM ANALYZE tasker.workflow_steps, tasker.workflow_step_edges")
            self.assertEqual(self.c.column("SELECT c.reltuples FROM pg_class c JOIN grown USING (oid) ORDER BY 1"), [0, 1])
            self.c.script("UPDATE pg_class c SET reltuples = 1, relpages = grown.pages FROM grown WHERE grown.oid = c.oid")  # as where they were not cut off
            self.observe()
            grow(self.c)
            rows = type(self.e)(self.c).settle([a], {"shop": credit})
            self.assertEqual(len(of(rows, "assign")), n if credit else 0)
            self.assertEqual([c for c in self.found(rows_max=20 * n)[1] if "walks" not in c], [], f"with credit for {credit}")
            self.c.script("ROLLBACK")
