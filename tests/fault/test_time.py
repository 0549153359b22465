# SPDX-License-Identifier: MIT
"""Orchestrators that die between the moment something is due and the moment it happens, and two that see the same moment."""
import datetime
import os
import unittest

from lib.clock import comes
from lib.system import System, eventually

ENV = {"TASKER_TIMERS_POLL": "500ms", "TASKER_DISPATCH_LEASE": "3s", "TASKER_DISPATCH_HEARTBEAT": "300ms"}
AHEAD_S = 2


def at(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


class Due(unittest.TestCase):
    def system(self, orchestrators):
        s = System(orchestrators=orchestrators, env=ENV)
        self.addCleanup(s.stop)
        return s

    def passed(self, s, task):
        eventually(lambda: s.value("SELECT least(run_at, deadline) < clock_timestamp() FROM tasker.tasks WHERE task_uuid = $1", task), what="it is due")

    def begun(self, s):
        if not os.path.exists(s.journal):
            return []
        with open(s.journal, encoding="utf-8") as f:
            return [line.split()[1] for line in f if line.split()[0] == "begin" and line.split()[2] == "one"]

    def test_nobody_was_there_when_it_was_due(self):
        s = self.system(1)
        start = s.submit("tests", "chain", {"journal": s.journal}, run_at=at(3600))
        end = s.submit("tests", "later", {"delay_ms": 600000}, deadline=at(3600))
        s.kill("orchestrator")
        comes(s, [start, end])
        self.passed(s, start)
        self.passed(s, end)
        self.assertEqual(s.value("SELECT count(*) FROM tasker.open_tasks WHERE due_at < clock_timestamp()"), 2)
        s.respawn("orchestrator")
        eventually(lambda: s.ready("orchestrator"), what="it is ready")
        self.assertEqual(s.wait(start)["status"], "complete")
        self.assertEqual(s.wait(end)["status"], "error")
        self.assertEqual(self.begun(s), [start])
        s.doctor()

    def test_the_one_that_took_them_dies(self):
        s = self.system(2)
        first, second = (o["rest"] for o in s.endpoints["orchestrators"])
        start = s.submit("tests", "chain", {"journal": s.journal}, run_at=at(AHEAD_S), base=first)
        end = s.submit("tests", "later", {"delay_ms": 600000}, timeout_seconds=AHEAD_S, base=first)
        s.kill("orchestrator", 0)
        self.assertEqual(s.wait(start, base=second)["status"], "complete")
        self.assertEqual(s.wait(end, base=second)["status"], "error")
        self.assertEqual(self.begun(s), [start])
        s.doctor()

    def test_two_see_the_same_moment(self):
        s = self.system(2)
        bases = [o["rest"] for o in s.endpoints["orchestrators"]]
        starts = [s.submit("tests", "chain", {"journal": s.journal}, run_at=at(3600), base=bases[i % 2]) for i in range(60)]
        ends = [s.submit("tests", "later", {"delay_ms": 600000}, deadline=at(3600), base=bases[i % 2]) for i in range(60)]
        comes(s, starts + ends, at(AHEAD_S))  # both have looked by then at what comes next (TASKER_TIMERS_POLL)
        self.assertEqual({s.wait(t)["status"] for t in starts}, {"complete"})
        self.assertEqual({s.wait(t)["status"] for t in ends}, {"error"})
        self.assertEqual(sorted(self.begun(s)), sorted(starts), "each began once")
        self.assertEqual(s.value("SELECT count(*) FROM tasker.task_transitions WHERE to_state = 'error'"), 60)
        self.assertEqual(sum(s.metric(b, "tasker_orchestrator_timeouts_total") for b in bases), 60)
        s.doctor()

    def test_all_of_them_stop_while_many_are_due(self):
        s = self.system(2)
        moment = at(AHEAD_S)
        starts = [s.submit("tests", "chain", {"journal": s.journal}, run_at=moment) for _ in range(40)]
        self.passed(s, starts[0])
        for i in (0, 1):
            s.kill("orchestrator", i)
        for i in (0, 1):
            s.respawn("orchestrator", i)
        eventually(lambda: s.ready("orchestrator"), what="it is ready")
        self.assertEqual({s.wait(t)["status"] for t in starts}, {"complete"})
        s.doctor()
