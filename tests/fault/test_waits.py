# SPDX-License-Identifier: MIT
"""A task comes to rest and nobody says so: its orchestrator died between its commit and its hint. Requests that wait for the task on
another orchestrator are answered all the same. To those, such a death is a commit without a hint, and that is what the test makes."""
import datetime
import threading
import time
import unittest

from lib.system import SLOW, System, eventually

LOOKS, FOUND, POLLS = ("tasker_orchestrator_" + name for name in ("wait_looks_total", "wait_found_total", "queue_polls_total"))
WAIT_S = 60


class Waits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(env={"TASKER_REST_WAIT_LOOK": "300ms", "TASKER_DISPATCH_QUEUE_POLL": "1s"})
        cls.addClassCleanup(cls.s.stop)

    def waiting(self, task, n):
        """n requests that wait for the task; their answers."""
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.s.call("GET", f"/v1/tasks/{task}?wait={WAIT_S}s"))) for _ in range(n)]
        for thread in threads:
            thread.start()
        eventually(lambda: self.s.metric(self.s.rest, "tasker_orchestrator_waiters") >= n, 10, "they wait")
        return threads, answers

    def test_an_end_nobody_tells_of_is_found(self):
        self.s.kill("worker")  # so that nothing moves
        self.addCleanup(self.s.respawn, "worker")
        told = self.s.submit("tests", "chain", {})
        task = self.s.submit("tests", "chain", {})
        threads, answers = self.waiting(task, 5)
        others, _ = self.waiting(told, 6)
        eventually(lambda: self.s.metric(self.s.rest, LOOKS) > 0, 10, "it looks")
        self.assertEqual((answers, self.s.metric(self.s.rest, FOUND)), ([], 0))  # looking alone answers nobody
        self.assertEqual(self.s.value("SELECT outcome FROM tasker.cancel_task($1, 'test', 'no hint follows', NULL) LIMIT 1", task), "cancelled")
        for thread in threads:
            thread.join(10 * SLOW)
        self.assertEqual([a.json["status"] for a in answers], ["cancelled"] * 5)
        self.assertGreaterEqual(self.s.metric(self.s.rest, FOUND), 1)
        self.assertEqual(self.s.call("DELETE", f"/v1/tasks/{told}").status, 200)
        for thread in others:
            thread.join(10 * SLOW)
        eventually(lambda: self.s.metric(self.s.rest, "tasker_orchestrator_waiters") == 0, 10, "nobody waits")

    def test_nothing_looks_while_nobody_waits(self):
        self.assertEqual(self.s.run("tests", "chain", {})["status"], "complete")
        eventually(lambda: self.s.metric(self.s.rest, "tasker_orchestrator_waiters") == 0, 10, "nobody waits")
        looks, polls = (self.s.metric(self.s.rest, name) for name in (LOOKS, POLLS))
        eventually(lambda: self.s.metric(self.s.rest, POLLS) > polls, 20, "a slow look at the queues: time has passed")
        self.assertEqual(self.s.metric(self.s.rest, LOOKS), looks)


class Newcomer(unittest.TestCase):
    def test_one_that_has_just_started_tells_the_others(self):
        """It has not heard of them yet; that it is alone it knows when it has listened for long enough."""
        s = System(orchestrators=2, env={"TASKER_REST_WAIT_LOOK": "10m"})  # looks find nothing in time
        self.addCleanup(s.stop)
        one, other = (o["rest"] for o in s.endpoints["orchestrators"])
        later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat()
        task = s.submit("tests", "chain", {}, base=one, run_at=later)
        self.assertEqual(s.call("DELETE", f"/v1/tasks/{task}", base=other).status, 200)
        began = time.monotonic()
        self.assertEqual(s.call("GET", f"/v1/tasks/{task}?wait={WAIT_S}s", base=one).json["status"], "cancelled")
        self.assertLess(time.monotonic() - began, WAIT_S / 2, "told, not found when the wait was over")
