# SPDX-License-Identifier: MIT
"""Checkpoints: a handler yields and goes on as the same attempt; after a failure or a crash, anywhere, from the last one."""
import unittest

from lib.system import System, eventually


def result(task, step):
    return task["by_name"][step]["results"]["result"]


class Checkpoints(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(orchestrators=2, workers=2)
        cls.addClassCleanup(cls.s.stop)

    def tearDown(self):
        self.s.doctor()

    def batch(self, status="complete", **context):
        task = self.s.run("rust_e2e_checkpoint_yield", "checkpoint_yield_test", context)
        self.assertEqual(task["status"], status, task)
        return task

    def test_items_add_up_whatever_the_interval(self):
        for total, every, checkpoints in ((100, 25, 3), (50, 5, 9), (10, 20, 0), (100, 100, 0), (101, 100, 1)):
            with self.subTest(f"{total} by {every}"):
                task = self.batch(total_items=total, items_per_checkpoint=every)
                found = result(task, "aggregate_results")
                self.assertEqual(found, {"total_processed": total, "running_total": total * (total + 1) // 2, "checkpoints_used": checkpoints,
                                         "item_count": total, "test_passed": True})
                self.assertEqual(task["by_name"]["checkpoint_yield_batch_001"]["attempts"], 1)

    def test_defaults_are_a_hundred_by_twenty_five(self):
        self.assertEqual(result(self.batch(), "aggregate_results")["running_total"], 5050)

    def test_nothing_to_do(self):
        task = self.batch(total_items=0)
        self.assertEqual((result(task, "aggregate_results")["total_processed"], result(task, "aggregate_results")["checkpoints_used"]), (0, 0))
        self.assertIn("checkpoint_yield_batch_000", task["by_name"])

    def test_a_failure_resumes_from_the_last_checkpoint(self):
        task = self.batch(total_items=100, items_per_checkpoint=20, fail_after_items=50)
        worker = task["by_name"]["checkpoint_yield_batch_001"]
        self.assertEqual((worker["attempts"], worker["current_state"]), (2, "complete"))
        found = result(task, "checkpoint_yield_batch_001")
        self.assertEqual((found["resumed_from"], found["items_processed"], found["running_total"], found["checkpoints_used"]), (40, 100, 5050, 4))
        self.assertEqual([h["cursor"] for h in worker["checkpoint"]["history"]], [20, 40, 60, 80])
        self.assertEqual((worker["checkpoint"]["cursor"], worker["checkpoint"]["items_processed"]), (80, 80))

    def test_a_permanent_failure_keeps_the_checkpoint(self):
        task = self.batch("blocked_by_failures", total_items=100, items_per_checkpoint=25, fail_after_items=30, permanent_failure=True)
        worker = task["by_name"]["checkpoint_yield_batch_001"]
        self.assertEqual((worker["attempts"], worker["current_state"], worker["checkpoint"]["cursor"]), (1, "error", 25))
        self.assertEqual(worker["checkpoint"]["accumulated_results"]["running_total"], 325)

    def test_the_reference_of_resumption(self):
        task = self.s.run("rust_e2e_batch_retry", "batch_resumption_test", {})
        self.assertEqual((task["status"], task["total_steps"]), ("complete", 2))
        worker = task["by_name"]["checkpoint_fail_batch_001"]
        self.assertEqual((worker["attempts"], result(task, "checkpoint_fail_batch_001")["resumed_from"],
                          result(task, "checkpoint_fail_batch_001")["running_total"]), (2, 50, 5050))

    def test_any_step_may_yield_and_its_history_is_bounded(self):
        task = self.s.run("tests", "counter", {"count": 100})
        self.assertEqual((task["by_name"]["count"]["attempts"], result(task, "count")["sum"], result(task, "count")["history"]), (1, 5050, 32))
        self.assertEqual([h["cursor"]["at"] for h in task["by_name"]["count"]["checkpoint"]["history"]], list(range(69, 101)))

    def test_a_lost_worker_leaves_its_checkpoint_to_another(self):
        task = self.s.submit("tests", "counter", {"count": 20, "crash_at": 7})
        dead = eventually(lambda: [at for at in range(2) if not self.s.alive(self.s.process("worker", at)["pid"])], 20, "a worker crashes")
        self.addCleanup(self.s.await_ready, "worker", dead[0])
        self.addCleanup(self.s.respawn, "worker", dead[0])  # the last is the first
        done = self.s.wait(task)
        steps = {s["name"]: s for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json}
        found = steps["count"]["results"]["result"]
        self.assertEqual((done["status"], found["sum"], found["attempt"]), ("complete", 210, 2))
        self.assertEqual(steps["count"]["attempts"], 1)  # a lost one is not counted

    def test_what_is_too_large_fails_for_good(self):
        task = self.s.run("tests", "counter", {"count": 5, "too_large_at": 3})
        error = task["by_name"]["count"]["results"]["error"]
        self.assertEqual((task["status"], error["error_type"], task["by_name"]["count"]["attempts"]), ("blocked_by_failures", "checkpoint_refused", 1))
        self.assertIn("checkpoint.bytes_max", error["message"])
        self.assertEqual(task["by_name"]["count"]["checkpoint"]["cursor"], {"at": 3})

    def test_explain_and_metrics_tell(self):
        task = self.s.submit("tests", "counter", {"count": 6000, "sleep_ms": 50})
        eventually(lambda: "items done at its last checkpoint" in self.s.call("GET", f"/v1/tasks/{task}/explain").json["steps"][0]["why"])
        self.s.call("DELETE", f"/v1/tasks/{task}")
        self.assertEqual(self.s.wait(task)["status"], "cancelled")
        stored = sum(self.s.metric(self.s.process("worker", at)["rest"], "tasker_worker_checkpoints_total") for at in range(2))
        self.assertGreater(stored, 0)
