# SPDX-License-Identifier: MIT
"""Nobody holds others up: a task of 10,000 steps those of small tasks, a busy namespace another one, low priority high priority. What came before
what is asked of the database, so that a slow machine changes nothing."""
import os
import tempfile
import unittest

from lib.system import EXAMPLES, OWN, SLOW, System, eventually

PERMITS = 4
LARGE = 10000
SETTLED = "SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1 AND state = 'complete'"
WAITING = "SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1 AND state = 'enqueued'"
# Of these tasks: how many steps were given to a worker while those of the other tasks were (from their first to their last).
AMONG = """SELECT count(*) FROM tasker.workflow_steps s,
       (SELECT min(dispatched_at) AS a, max(dispatched_at) AS z FROM tasker.workflow_steps WHERE task_uuid = ANY ($2)) o
 WHERE s.task_uuid = ANY ($1) AND s.dispatched_at BETWEEN o.a AND o.z"""
# How many steps of the first task were still to be given to a worker when the last of the others had ended.
AFTER = """SELECT count(*) FROM tasker.workflow_steps s
 WHERE s.task_uuid = $1 AND (s.dispatched_at IS NULL OR s.dispatched_at > (SELECT max(completed_at) FROM tasker.tasks WHERE task_uuid = ANY ($2)))"""


def template(folder, namespace, name, steps):
    with open(os.path.join(folder, f"{namespace}_{name}.yaml"), "w", encoding="utf-8") as f:
        f.write(f"name: {name}\nnamespace_name: {namespace}\nversion: 1.0.0\nsteps:\n")
        for step, parents in steps.items():
            f.write(f"  - {{name: {step}, dependencies: [{', '.join(parents)}], handler: {{callable: test.work}}}}\n")


def fan(n):
    return {"first": [], **{f"m{i:05}": ["first"] for i in range(n - 1)}}


class Fairness(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            own = os.path.join(folder, "fair", "templates")
            os.makedirs(own)
            template(own, "fair", "large", fan(LARGE))
            template(own, "fair", "small", {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]})
            template(own, "fair", "one", {"only": []})
            for namespace in ("busy", "quiet"):
                template(own, namespace, "many", fan(400))
            cls.s = System(templates=(EXAMPLES, OWN, own), env={"TASKER_WORKER_PERMITS": str(PERMITS), "TASKER_WORKER_PREFETCH": "0",
                                                                    "TASKER_DISPATCH_QUEUE_POLL": "300ms"})
        cls.addClassCleanup(cls.s.stop)

    def tearDown(self):
        self.s.doctor()

    def waits(self, task, n):
        eventually(lambda: self.s.value(WAITING, task) >= n, 60, f"{n} steps of it wait")

    def test_a_task_of_10000_steps_lets_small_ones_through(self):
        large = self.s.submit("fair", "large", {"sleep_ms": 1})
        self.waits(large, LARGE * 9 // 10)
        small = [self.s.submit("fair", "small", {"sleep_ms": 1}) for _ in range(20)]
        for task in small:
            self.assertEqual(self.s.wait(task, 60)["status"], "complete")
        self.assertGreater(self.s.value(AFTER, large, small), LARGE // 2, "most of the large task came later")
        self.assertLess(self.s.value(AMONG, [large], small), LARGE // 4)
        self.assertEqual(self.s.wait(large, 180)["status"], "complete")
        self.assertEqual(self.s.value(SETTLED, large), LARGE)

    def test_a_busy_namespace_leaves_another_one_its_half(self):
        busy = [self.s.submit("busy", "many", {"sleep_ms": 5}) for _ in range(3)]
        for task in busy:
            self.waits(task, 100)
        quiet = self.s.submit("quiet", "many", {"sleep_ms": 5})
        self.assertEqual(self.s.wait(quiet, 60)["status"], "complete")
        among = self.s.value(AMONG, busy, [quiet])
        self.assertGreater(self.s.value(AFTER, busy[-1], [quiet]), 100, "much of the busy one came later")
        self.assertTrue(200 <= among <= 600, f"{among} steps of the busy namespace beside 400 of the quiet one")
        for task in busy:
            self.s.wait(task, 60)

    def test_a_heavier_namespace_has_more_of_a_worker(self):
        """Permits are 4, so 3 to 1: of the light one few steps run beside many of the heavy one. A weight that was taken back counts no more."""
        def weigh(ns, weight):
            answer = self.s.call("PUT", f"/v1/namespaces/{ns}/weight", {"weight": weight, "by": "kim", "reason": "first of all"})
            self.assertEqual((answer.status, answer.json["weight"], answer.json["weight_by"]), (200, weight, "kim"))
            eventually(lambda: self.s.metric(self.s.rest, f'tasker_orchestrator_namespace_weight{{namespace="{ns}"}}') == weight, what="the orchestrator knows")
        light = [self.s.submit("busy", "many", {"sleep_ms": 5}) for _ in range(3)]
        for task in light:
            self.waits(task, 100)
        weigh("quiet", 3)
        heavy = self.s.submit("quiet", "many", {"sleep_ms": 5})
        self.assertEqual(self.s.wait(heavy, 60)["status"], "complete")
        among = self.s.value(AMONG, light, [heavy])
        weigh("quiet", 1)
        self.assertGreater(self.s.value(AFTER, light[-1], [heavy]), 30, "much of the light one came later")
        self.assertTrue(60 <= among <= 260, f"{among} steps of the light namespace beside 400 of the heavy one")
        for task in light:
            self.s.call("DELETE", f"/v1/tasks/{task}")

    def test_slow_handlers_of_one_namespace_do_not_take_all_permits(self):
        """Equal parts are counted in steps at work, not in steps begun."""
        slow = self.s.submit("busy", "many", {"sleep_ms": 300 * SLOW})  # slow beside what the machine needs for the quick ones
        self.waits(slow, 100)
        quick = self.s.submit("quiet", "many", {"sleep_ms": 2})
        self.assertEqual(self.s.wait(quick, 60)["status"], "complete")
        self.assertLess(self.s.value(AMONG, [slow], [quick]), 100, "of the slow ones few began meanwhile")
        self.s.call("DELETE", f"/v1/tasks/{slow}")

    def test_a_lost_lease_does_not_wait_behind_a_backlog(self):
        large = self.s.submit("fair", "large", {"sleep_ms": 1})
        self.waits(large, LARGE * 9 // 10)
        last = self.s.sql("SELECT workflow_step_uuid, msg_id FROM tasker.workflow_steps WHERE task_uuid = $1 AND state = 'enqueued' ORDER BY step_no DESC LIMIT 1", large)[0]
        self.s.sql("UPDATE pgmq.q_worker_fair_queue SET vt = clock_timestamp() WHERE msg_id = $1", last.msg_id)  # as if a lease had ended now
        eventually(lambda: self.s.value("SELECT state = 'complete' FROM tasker.workflow_steps WHERE workflow_step_uuid = $1", last.workflow_step_uuid),
                   what="the last step of the task has run")
        self.assertGreater(self.s.value("SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1 AND (dispatched_at IS NULL OR dispatched_at > "
                                        "(SELECT dispatched_at FROM tasker.workflow_steps WHERE workflow_step_uuid = $2))", large, last.workflow_step_uuid), LARGE // 4)
        self.s.call("DELETE", f"/v1/tasks/{large}")

    def test_priority(self):
        first = self.s.submit("fair", "large", {"sleep_ms": 1})
        self.waits(first, LARGE * 9 // 10)
        eventually(lambda: self.s.value(SETTLED, first) > 10 * PERMITS, 60, "the orchestrator knows from a claim that more waits than workers take")
        for task in (low := [self.s.submit("fair", "one", {"sleep_ms": 1}, priority=-10) for _ in range(10)]):
            self.assertEqual(self.s.call("GET", f"/v1/tasks/{task}").json["priority"], -10)
        high = self.s.submit("fair", "small", {"sleep_ms": 1}, priority=10)
        self.assertEqual(self.s.wait(high, 60)["status"], "complete")
        self.assertGreater(self.s.value(AFTER, first, [high]), LARGE // 2)
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.tasks l, tasker.tasks h WHERE l.task_uuid = ANY ($1) AND h.task_uuid = $2 "
                                      "AND l.completed_at < h.completed_at", low, high), 0)
        waiting = eventually(lambda: self.s.metric(self.s.rest, "tasker_orchestrator_steps_waiting"), what="the metric tells what waits")
        self.assertLessEqual(waiting, LARGE)
        self.s.call("DELETE", f"/v1/tasks/{first}")
        for task in low:
            self.s.wait(task, 60)
