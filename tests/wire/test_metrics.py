# SPDX-License-Identifier: MIT
"""/metrics of all three services: valid for Prometheus, and the figures are true."""
import subprocess
import unittest

from lib.system import System
from test_rest import curl


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)
        for _ in range(3):
            cls.s.run("tests", "diamond", {})
        cls.s.run("rust_e2e_retry", "retry_mechanics_test", {})

    def page(self, kind):
        return curl(self.s.process(kind)["rest"] + "/metrics")

    def test_promtool_accepts_all_pages(self):
        for kind in ("orchestrator", "worker", "cache"):
            with self.subTest(kind):
                page = self.page(kind)
                self.assertEqual((page.status, page.headers["content-type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
                done = subprocess.run(["promtool", "check", "metrics"], input=page.body, capture_output=True, check=False)
                self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))

    def test_counts_are_true(self):
        rest, worker = self.s.rest, self.s.process("worker")["rest"]
        steps, attempts = 3 * 4 + 1, 3 * 4 + 3
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_tasks_created_total"), 4)
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_tasks_finished_total"), 4)
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_steps_settled_total"), attempts)
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_steps_dispatched_total"), attempts)
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_steps_in_flight"), 0)
        self.assertEqual(self.s.metric(rest, "tasker_orchestrator_workers_connected"), 1)
        self.assertEqual(self.s.metric(worker, "tasker_worker_steps_taken_total"), attempts)
        self.assertEqual(self.s.metric(worker, "tasker_worker_steps_finished_total"), attempts)
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.step_results WHERE success"), steps)
        self.assertGreater(self.s.metric(self.s.process("cache")["rest"], "tasker_cache_loads_total"), 0)
