# SPDX-License-Identifier: MIT
"""Processes die while thousands of batches run: every instance is settled once, the convergence sees all of them, nothing is stranded."""
import threading
import unittest

from lib.system import System, eventually
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

    def test_the_orchestrator_dies_while_the_graph_grows(self):
        """Killed again and again until the analyzer is settled: the growth is there as a whole or not at all."""
        def break_it(s, done, pause):
            for _ in range(4):
                pause.wait(0.05)
                s.kill("orchestrator", 0)
                made = s.value("SELECT count(*) FROM tasker.workflow_steps WHERE instance > 0")
                self.assertIn(made, (0, BATCHES))
                s.respawn("orchestrator", 0)
                eventually(lambda: s.ready("orchestrator"), 30, "it is back")
        self.batch(break_it)
