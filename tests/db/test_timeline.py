# SPDX-License-Identifier: MIT
"""tasker.task_timeline: the stages of an attempt, and what is made of clocks that differ."""
import json

from engine import CHAIN, DbTest

HOUR_US = 3600 * 1000 * 1000


class Stages(DbTest):
    def timeline(self, ahead_us=0, stages=True, success=True):
        """Of a chain whose first step was 1 ms on its way, 2 ms waiting, 3 ms in its handler and 1 ms on its way back; the worker's clock is ahead."""
        task, (a,) = self.start(CHAIN)
        committed = self.c.value("SELECT (extract(epoch FROM dispatched_at) * 1000000)::int8 + 500 FROM tasker.workflow_steps WHERE workflow_step_uuid = $1", a.step_uuid)
        self.e.settle([a], success=success, stages=[committed, committed + 1000 + ahead_us, 2000, 3000, committed + 7000] if stages else None)
        first = self.c.value("SELECT tasker.task_timeline($1)", task)
        return (json.loads(first) if isinstance(first, str) else first)["attempts"][0]

    def way(self, attempt):
        s = attempt["stages"]
        return [round(s[k + "_ms"] - s["committed_ms"], 3) for k in ("received", "permit", "handled", "returned")]

    def test_on_one_clock_they_are_as_they_were_told(self):
        for success in (True, False):
            a = self.timeline(success=success)
            self.assertAlmostEqual(a["stages"]["committed_ms"] - a["dispatched_ms"], 0.5, places=3)
            self.assertEqual((self.way(a), a["stages"]["worker_clock_ms"]), ([1, 3, 6, 7], [-1, 1]))

    def test_a_clock_that_cannot_be_right_is_moved_by_what_is_certain(self):
        a = self.timeline(ahead_us=HOUR_US)
        self.assertEqual((self.way(a), a["stages"]["worker_clock_ms"]), ([2, 4, 7, 7], [3600000 - 1, 3600000 + 1]))
        a = self.timeline(ahead_us=-HOUR_US)
        self.assertEqual((self.way(a), a["stages"]["worker_clock_ms"]), ([0, 2, 5, 7], [-3600000 - 1, -3600000 + 1]))

    def test_without_stages_there_are_none(self):
        self.assertIsNone(self.timeline(stages=False)["stages"])
