# SPDX-License-Identifier: MIT
"""Processes die while thousands of batches run: every instance is settled once, the convergence sees all of them, nothing is stranded."""
import datetime
import threading
import unittest

from lib.system import SLOW, System, eventually
from test_processes import ENV

BATCHES = 2000


class Growth(unittest.TestCase):
    def batch(self, break_it):
        s = System(orchestrators=2, workers=3, env=ENV)
        self.addCleanup(s.stop)
        task = s.submit("tests", "many_batches", {"batches": BATCHES, "sleep_ms": 2})
        pause = threading.Event()

        def done():
            return s.value("SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1 AND instance > 0 AND state = 'complete'", task)
        break_it(s, done, pause)
        eventually(lambda: s.value("SELECT state FROM tasker.tasks WHERE task_uuid = $1", task) == "complete", 120, "the task is complete", every=0.2)
        steps = s.value("SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1", task)
        settled = s.value("SELECT count(*) FROM tasker.step_results WHERE task_uuid = $1 AND success", task)
        self.assertEqual((steps, settled), (BATCHES + 2, BATCHES + 2))
        joined = s.value("SELECT r.result -> 'result' ->> 'count' FROM tasker.step_results r JOIN tasker.workflow_steps s USING (workflow_step_uuid) "
                         "WHERE s.task_uuid = $1 AND s.name = 'join' AND r.success", task)
        self.assertEqual(int(joined), BATCHES + 1)
        s.doctor()

    def test_orchestrators_and_workers_are_killed_in_the_middle(self):
        def break_it(s, done, pause):
            for i, (kind, at) in enumerate((("worker", 0), ("orchestrator", 0), ("worker", 1), ("orchestrator", 1))):
                eventually(lambda i=i: done() >= (i + 1) * BATCHES // 6, 60, f"{(i + 1) * BATCHES // 6} batches")
                s.kill(kind, at)
                pause.wait(0.3)
                s.respawn(kind, at)
        self.batch(break_it)

    def test_the_orchestrator_dies_in_the_middle_of_ten_thousand(self):
        """When all instances are inserted and none of their edges is: somebody holds the table of edges. Nothing of it is there, then all of it."""
        n = 10000 if SLOW == 1 else BATCHES  # sanitizers look at the same code with fewer
        s = System(env=ENV)
        self.addCleanup(s.stop)
        later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat()
        task = s.submit("tests", "many_batches", {"batches": n}, run_at=later)

        def growing():
            return s.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%tasker.grow_tasks(%' AND state = 'active' AND pid <> pg_backend_pid()")

        def instances():
            return s.value("SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1 AND instance > 0", task)
        with s.conn() as hold:
            hold.script("BEGIN; LOCK TABLE tasker.workflow_step_edges IN SHARE MODE")
            s.call("POST", f"/v1/tasks/{task}/start", {"by": "kim", "reason": "now"})
            eventually(lambda: growing() and s.value("SELECT count(*) FROM pg_locks WHERE relation = 'tasker.workflow_step_edges'::regclass AND NOT granted"), 60,
                       "it waits for the table of edges")
            s.kill("orchestrator")
            self.assertEqual((growing(), instances()), (1, 0), "PostgreSQL does not know yet that nobody is there")
            hold.script("COMMIT")
        eventually(lambda: not growing(), 60, "it has taken it back")
        self.assertEqual((instances(), s.value("SELECT count(*) FROM tasker.step_results WHERE task_uuid = $1", task)), (0, 0))
        s.respawn("orchestrator")
        try:
            eventually(lambda: instances() == n, 120, "the worker has handed its result in again")
        except AssertionError as e:
            steps = s.sql("SELECT name, state, attempts, losses, msg_id FROM tasker.workflow_steps WHERE task_uuid = $1 AND instance = 0", task)
            raise AssertionError(f"{e}: {instances()} of {n}; {steps}\n{s.logs(60)}") from None
        self.assertEqual(s.call("DELETE", f"/v1/tasks/{task}").json["status"], "cancelled")
        self.assertEqual(s.value("SELECT count(*) FROM tasker.step_results r JOIN tasker.workflow_steps s USING (workflow_step_uuid) "
                                 "WHERE s.task_uuid = $1 AND s.name = 'analyze'", task), 1)
        s.doctor()
