# SPDX-License-Identifier: MIT
"""Retention by policy: what ended long enough ago goes whole, whatever is needed stays, and what was added up of it goes on counting."""
import json
import threading
import uuid

from engine import CHAIN, DIAMOND, DbTest, of
from lib import pg
from sub_tasks import look_at_all, start
from test_analytics import old_id

OF_TASK = ("tasks", "workflow_steps", "superseded_steps", "step_results", "workflow_step_transitions", "task_transitions", "task_generations",
           "step_timers", "queue_timers", "dead_letters")
ALL = OF_TASK + ("workflow_step_edges", "sub_tasks", "sub_task_dues", "open_tasks", "task_tags")
AGE = 60  # days that tasks of these tests are old


class RetentionTest(DbTest):
    def setUp(self):
        super().setUp()
        self.c.script("UPDATE tasker.rolled_until SET looked_at = clock_timestamp() - interval '1 day'")

    def policy(self, namespace, days):
        return self.c.value("SELECT tasker.set_retention($1, $2, false)", namespace, days)

    def run_all(self, template, n=1, ids=None, success=True):
        rows = self.e.create(template, n=n, credit=n, tags='["old", "a", "old"]', task=ids or [old_id(24 * AGE + i) for i in range(n)])
        tasks, out = [r.task_uuid for r in of(rows, "created")], of(rows, "assign")
        while out:
            out = of(self.e.settle(out, credit={template.namespace: 10000}, success=success, retryable=False), "assign")
        return tasks

    def age(self, days=AGE):
        """What has ended, ended so long ago."""
        self.c.query("UPDATE tasker.tasks SET completed_at = completed_at - make_interval(days => $1), updated_at = updated_at - make_interval(days => $1)", days)

    def roll(self):
        while self.c.query("SELECT * FROM tasker.roll_up(1000)")[0].more:
            pass

    def choose(self, namespace="shop", after=None, limit=500, steps=5000, conn=None):
        *rows, last = (conn or self.c).query("SELECT * FROM tasker.choose_expired($1, $2, $3, $4)", namespace, after, limit, steps)
        return [r.task for r in rows], last.looked

    def batch(self, namespace="shop", after=None, conn=None, **limits):
        """One batch as the command does it: what was deleted, and where to go on."""
        c = conn or self.c
        c.script("BEGIN")
        tasks, looked = self.choose(namespace, after, conn=c, **limits)
        if tasks:
            gone = c.query("SELECT * FROM tasker.delete_tasks($1)", tasks)[0]
            assert gone.tasks == len(tasks)
        c.script("COMMIT")
        return tasks, looked

    def expire(self, namespace="shop", conn=None, **limits):
        gone, after = [], None
        while True:
            tasks, after = self.batch(namespace, after, conn, **limits)
            gone += tasks
            if after is None:
                return gone

    def counts(self):
        return {t: self.c.value(f"SELECT count(*) FROM tasker.{t}") for t in ALL}

    def left(self):
        return set(self.c.column("SELECT task_uuid FROM tasker.tasks"))


class Expired(RetentionTest):
    def test_a_task_goes_with_every_row_of_it(self):
        keep = self.run_all(self.e.register(DIAMOND), ids=[old_id(1)])
        before = self.counts()
        flow = self.e.register(DIAMOND)
        for success in (True, False):
            task, = self.run_all(flow, success=success, ids=[old_id(24 * AGE)])
            self.e.rerun(task, "start")
            held = of(self.e.claim(10), "assign")
            while held:
                held = of(self.e.settle(held), "assign")
        failed, = self.run_all(flow, success=False, ids=[old_id(24 * AGE)])
        self.e.cancel(failed)
        self.assertEqual(len(of(self.c.query("SELECT * FROM tasker.close_dead_letters(86400, NULL, 100)"), "closed")), 2)
        self.age()
        self.c.query("UPDATE tasker.tasks SET completed_at = clock_timestamp() WHERE task_uuid = ANY ($1)", keep)
        self.policy("shop", 30)
        self.roll()
        self.assertEqual(len(self.expire()), 3)
        self.assertEqual(self.counts(), before)
        self.assertEqual(self.expire(), [])

    def test_a_policy_is_of_its_namespace(self):
        flows = {ns: self.e.register(CHAIN, namespace=ns) for ns in ("shop", "store", "bank")}
        tasks = {ns: set(self.run_all(f, n=3)) for ns, f in flows.items()}
        self.age()
        self.roll()
        self.assertEqual([self.expire(ns) for ns in flows], [[], [], []], "no policy: for ever")
        self.policy("*", 90)
        self.assertEqual([self.expire(ns) for ns in flows], [[], [], []])
        self.policy("*", 30)
        self.policy("bank", None)
        self.policy("store", 90)
        self.assertEqual({k.namespace: (k.keep_days, k.source) for k in self.c.query("SELECT * FROM tasker.retention_keeps()")},
                         {"*": (30, "own"), "shop": (30, "default"), "store": (90, "own"), "bank": (None, "own")})
        self.assertEqual({d.namespace: (d.older, d.due, d.steps) for d in self.c.query("SELECT * FROM tasker.retention_due()")},
                         {"shop": (3, 3, 12), "store": (0, 0, 0), "bank": (0, 0, 0)})
        self.assertEqual([set(self.expire(ns)) for ns in flows], [tasks["shop"], set(), set()])
        self.assertEqual(self.left(), tasks["store"] | tasks["bank"])
        self.assertEqual(self.c.value("SELECT tasker.set_retention('nowhere', 1, false)"), "unknown")
        self.assertEqual(self.c.value("SELECT tasker.set_retention('bank', NULL, true)"), "cleared")
        self.assertEqual(self.c.value("SELECT tasker.set_retention('bank', NULL, true)"), "none")
        self.assertEqual(set(self.expire("bank")), tasks["bank"])
        for days in (0, 36501):
            with self.assertRaises(pg.PgError):
                self.policy("shop", days)

    def test_what_is_needed_stays(self):
        flow = self.e.register({"only": []})
        opened = [r.task_uuid for r in of(self.e.create(flow, task=[old_id(24 * AGE)]), "created")]
        blocked = self.run_all(flow, success=False, ids=[old_id(24 * AGE)])
        fresh = self.run_all(flow, ids=[old_id(24 * AGE)])
        pending = self.run_all(flow, ids=[old_id(24 * AGE)])
        gone = self.run_all(flow, ids=[old_id(24 * AGE)])
        self.c.query("INSERT INTO tasker.dead_letters SELECT gen_random_uuid(), task_uuid, state, 'manual_dlq', now(), CASE WHEN task_uuid = $1 THEN 'pending' ELSE 'cancelled' END"
                     "::tasker.dlq_resolution, NULL, NULL, NULL, false, '{}', NULL, now(), now() FROM tasker.tasks WHERE task_uuid IN ($1, $2)", pending[0], gone[0])
        self.age()
        self.c.query("UPDATE tasker.tasks SET completed_at = clock_timestamp() WHERE task_uuid = $1", fresh[0])
        self.policy("shop", 30)
        self.roll()
        self.assertEqual(self.expire(), gone)
        self.assertEqual(self.left(), set(opened + blocked + fresh + pending))
        self.assertEqual(self.c.column("SELECT task_uuid FROM tasker.dead_letters WHERE task_uuid <> ALL ($1)", blocked), pending)

    def test_parents_and_children_wait_for_each_other(self):
        made = self.e.create(self.e.register({"a": [], "b": ["a"]}), credit=1, task=[old_id(24 * AGE)])
        parent, child = self.one(made, "created").task_uuid, old_id(24 * AGE)
        started = start(self.e, self.one(made, "assign"), self.e.register({"only": []}), child=child)
        self.policy("shop", 1)

        def expire():
            self.roll()
            self.age(1)
            return set(self.expire())
        self.assertEqual(expire(), set(), "both are open")
        self.e.settle(of(started, "assign"))
        self.age()
        self.assertEqual(expire(), set(), "the parent was not told")
        last = of(look_at_all(self.e), "assign")
        self.assertEqual(expire(), set(), "the parent goes on")
        self.e.settle(last)
        self.age()
        self.assertEqual(expire(), {parent, child})
        self.assertEqual(self.counts()["sub_tasks"], 0)

    def test_a_parent_waits_for_a_child_it_does_not_wait_for(self):
        made = self.e.create(self.e.register({"a": []}), credit=1, task=[old_id(24 * AGE)])
        parent = self.one(made, "created").task_uuid
        start(self.e, self.one(made, "assign"), self.e.register({"only": []}), credit=0, child=old_id(24 * AGE))
        self.policy("shop", 1)
        self.e.cancel(parent)
        self.age()
        self.roll()
        self.assertEqual(self.expire(), [], "the child was not told")
        look_at_all(self.e)
        self.age()
        self.assertEqual(len(self.expire()), 2)

    def test_batches_are_bounded_and_go_on_where_they_were(self):
        tasks = sorted(self.run_all(self.e.register(CHAIN), n=10))
        self.age()
        self.policy("shop", 30)
        self.roll()
        self.assertEqual(self.batch(limit=3), (tasks[:3], tasks[2]))
        self.assertEqual(self.batch(steps=9)[0], tasks[3:5], "4 steps each")
        self.assertEqual(self.batch(steps=1)[0], tasks[5:6], "one at least")
        other = self.connect()
        other.script("BEGIN")
        other.query("SELECT FROM tasker.tasks WHERE task_uuid = $1 FOR NO KEY UPDATE", tasks[7])
        self.assertEqual(self.expire(limit=2), [tasks[6], *tasks[8:]], "who holds a task keeps it")
        other.script("ROLLBACK")
        self.assertEqual(self.expire(), [tasks[7]])

    def test_two_at_once_delete_each_task_once(self):
        tasks = self.run_all(self.e.register(CHAIN), n=40)
        self.age()
        self.policy("shop", 30)
        self.roll()
        gone, failed = [], []

        def work(conn):
            try:
                gone.extend(self.expire(conn=conn, limit=3))
            except pg.PgError as e:
                failed.append(e)
        threads = [threading.Thread(target=work, args=(self.connect(),)) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(failed, [])
        self.assertEqual(sorted(gone), sorted(tasks))
        self.assertEqual({t: n for t, n in self.counts().items() if n}, {})

    def test_what_is_exported_is_all_that_goes(self):
        task, = self.run_all(self.e.register(DIAMOND))
        self.run_all(self.e.register(CHAIN), ids=[old_id(1)])
        self.c.script("BEGIN")
        self.c.query("SELECT tasker.export_tasks($1)", [task])
        lines = [json.loads(line) for line in self.c.column("SELECT tasker.fetch_history(1000)")]
        self.c.script("ROLLBACK")
        found = {}
        for x in lines:
            found[x["table"]] = found.get(x["table"], 0) + 1
        self.assertEqual(found, {"tasks": 1, "workflow_steps": 4, "workflow_step_edges": 4, "step_results": 4, "workflow_step_transitions": 8, "task_transitions": 2})
        self.assertEqual({x["row"].get("task_uuid", task) for x in lines}, {task})

    def test_an_identity_may_be_used_again(self):
        flow, identity = self.e.register({"only": []}), uuid.uuid4().bytes
        rows = self.e.create(flow, credit=1, identity=[identity], task=[old_id(24 * AGE)])
        self.e.settle(of(rows, "assign"))
        self.assertEqual(len(of(self.e.create(flow, identity=[identity]), "created")), 0)
        self.age()
        self.policy("shop", 30)
        self.roll()
        self.assertEqual(len(self.expire()), 1)
        self.assertEqual(len(of(self.e.create(flow, identity=[identity]), "created")), 1)


class AddedUp(RetentionTest):
    def figures(self):
        names = ("analytics_performance(2000)", "analytics_bottlenecks(100, 1)")
        found = [self.c.value(f"SELECT tasker.{n}") for n in names]
        found = [f if isinstance(f, dict) else json.loads(f) for f in found]
        states = {(s.kind, s.state): s.n for s in self.c.query("SELECT * FROM tasker.get_system_health_counts()")}
        return {k: v for k, v in found[0].items() if k not in ("calculated_at", "analysis_period_start")}, states

    def test_deleted_tasks_go_on_counting(self):
        flow = self.e.register(CHAIN)
        late = of(self.e.create(flow, task=[old_id(24 * AGE)], credit=1), "assign")
        self.run_all(flow, n=5)
        self.run_all(flow, n=2, ids=[old_id(1), old_id(2)])
        self.roll()
        self.assertEqual(self.c.value("SELECT sum(cardinality(left_out)) FROM tasker.rolled"), 1)
        while late:  # left out of its stretch, it ends afterwards
            late = of(self.e.settle(late), "assign")
        self.age()
        self.c.query("UPDATE tasker.tasks SET created_at = created_at - make_interval(days => $1)", AGE)  # as long as they took
        self.c.script("DELETE FROM tasker.rolled; UPDATE tasker.rolled_until SET until = '2020-01-01'")
        self.roll()
        self.policy("shop", 30)
        before = self.figures()
        self.assertEqual(len(self.expire()), 6)
        self.assertEqual(self.figures(), before)
        self.roll()
        self.assertEqual(self.figures(), before)
        self.assertEqual(before[0]["total_tasks"], 8)

    def test_one_that_was_left_out_is_added_before_it_goes(self):
        flow = self.e.register(CHAIN)
        at = old_id(24 * AGE)
        near = str(uuid.UUID(int=uuid.UUID(at).int ^ 1))
        late = of(self.e.create(flow, task=[at], credit=1), "assign")
        self.run_all(flow, ids=[near])
        self.roll()
        while late:
            late = of(self.e.settle(late), "assign")
        self.c.script("UPDATE tasker.tasks SET completed_at = completed_at - interval '40 days', created_at = created_at - interval '40 days'")
        self.policy("shop", 30)
        before = self.figures()
        self.assertEqual(self.batch(limit=1)[0], [min(at, near)])
        self.assertEqual(len(self.expire()), 1)
        after = self.figures()
        self.assertEqual(after[1], before[1])
        for key in ("total_tasks", "completed_tasks", "failed_tasks", "average_step_duration_seconds"):
            self.assertEqual(after[0][key], before[0][key], key)
        self.assertEqual([(r.gone, r.left_out) for r in self.c.query("SELECT gone, left_out::text FROM tasker.rolled")], [(2, "{}")])

    def test_a_stretch_that_was_not_added_up_is_not_touched(self):
        flow = self.e.register(CHAIN)
        task, = self.run_all(flow)
        self.age()
        self.policy("shop", 30)
        self.assertEqual(self.expire(), [])
        self.roll()
        self.c.script("UPDATE tasker.rolled_until SET looked_at = looked_at - interval '90 days'")
        self.assertEqual(self.expire(), [], "it will be looked at once more")
        self.c.script("UPDATE tasker.rolled_until SET looked_at = looked_at + interval '90 days'")
        self.assertEqual(self.expire(), [task])

    def test_reopening_a_neighbour_of_deleted_tasks_forgets_nothing(self):
        flow = self.e.register(CHAIN)
        at = old_id(24 * AGE)
        near = str(uuid.UUID(int=uuid.UUID(at).int ^ 1))
        other = old_id(24 * AGE + 24)
        self.run_all(flow, ids=[at])
        self.run_all(flow, ids=[near])
        self.run_all(flow, ids=[other])
        self.roll()
        self.age()
        self.c.query("UPDATE tasker.tasks SET completed_at = clock_timestamp() WHERE task_uuid = ANY ($1)", [near, other])
        self.policy("shop", 30)
        self.assertEqual(self.expire(), [at])
        self.e.rerun(near, "four")
        self.e.rerun(other, "four")
        performance, states = self.figures()
        self.assertEqual(performance["total_tasks"], 3, "the deleted one counts, also while a stretch before it is not added up")
        self.assertEqual(states["task", "complete"], 2)
        self.roll()
        self.assertEqual(self.figures()[0]["total_tasks"], 3)
