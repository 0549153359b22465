# SPDX-License-Identifier: MIT
"""Frames that come twice grant nothing twice: a worker is never given more than it asked for."""
import unittest

from lib.system import System, eventually

PERMITS, WARM, SLOW_ONES = 4, 40, 20
ENV = {"TASKER_WORKER_PERMITS": str(PERMITS), "TASKER_WORKER_PREFETCH": "0", "TASKER_FAULTS": "push_twice:0.3"}


class Repeats(unittest.TestCase):
    def test_a_repeated_frame_grants_no_more(self):
        s = System(env=ENV)
        self.addCleanup(s.stop)
        for task in [s.submit("tests", "chain", {}) for _ in range(WARM)]:  # some hundred frames each way, on one stream
            self.assertEqual(s.wait(task)["status"], "complete")
        self.assertGreater(s.metric(s.process("worker")["rest"], "tasker_worker_steps_repeated_total"), 0, "no assignment came twice")
        slow = [s.submit("tests", "chain", {"sleep_ms": 120000}) for _ in range(SLOW_ONES)]
        eventually(lambda: s.metric(s.process("worker")["rest"], "tasker_worker_steps_running") == PERMITS, what="all permits are in use")
        counts = s.sql("SELECT state::text, count(*) FROM tasker.workflow_steps WHERE state IN ('enqueued', 'in_progress') GROUP BY 1 ORDER BY 1")
        self.assertEqual({row.state: row.count for row in counts}, {"enqueued": SLOW_ONES - PERMITS, "in_progress": PERMITS})
        self.assertEqual(s.metric(s.process("worker")["rest"], "tasker_worker_steps_queued"), 0)
        for task in slow:
            s.call("DELETE", f"/v1/tasks/{task}")
        for task in slow:
            self.assertEqual(s.wait(task)["status"], "cancelled")
        s.doctor()


if __name__ == "__main__":
    unittest.main()
