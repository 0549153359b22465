# SPDX-License-Identifier: MIT
"""Durable domain events while services are killed: every attempt that a worker settled has its events exactly once."""
import json
import unittest

from lib.system import System, eventually

ENV = {"TASKER_DISPATCH_LEASE": "3s", "TASKER_DISPATCH_HEARTBEAT": "300ms", "TASKER_DISPATCH_QUEUE_POLL": "1s"}
TASKS = 120


class Events(unittest.TestCase):
    def load(self, breaks):
        s = System(env=ENV, orchestrators=2, workers=2)
        self.addCleanup(s.stop)
        tasks = [s.submit("tests", "events", {"payload": {"n": n}, "failures": n % 2}, base=s.process("orchestrator", 1)["rest"]) for n in range(TASKS)]
        eventually(lambda: s.value("SELECT count(*) FROM tasker.step_results") > TASKS // 10, 20, "work is under way")
        breaks(s)
        eventually(lambda: s.value("SELECT count(*) FROM tasker.tasks WHERE state = 'complete'") == len(tasks), 60, "all are complete")
        self.check(s)
        s.doctor()

    def check(self, s):
        spoken, ids = {}, set()
        for row in s.sql("SELECT message::text AS m FROM pgmq.q_tests_domain_events"):
            event = json.loads(row.m)
            ids.add(event["event_id"])
            key = (event["metadata"]["step_uuid"], event["metadata"]["attempt"])
            spoken.setdefault(key, []).append(event["event_name"])
        settled = {(r.step, r.attempt): r.success for r in s.sql("SELECT workflow_step_uuid AS step, attempt, success FROM tasker.step_results")}
        self.assertEqual(set(spoken), set(settled))
        for key, success in settled.items():
            self.assertEqual(sorted(spoken[key]), sorted(["test.over", "test.made.anew", *(["test.done"] if success else ["test.failed", "test.again"])]))
        self.assertEqual(len(ids), sum(map(len, spoken.values())))

    def test_a_worker_is_killed(self):
        self.load(lambda s: s.kill("worker", 0))

    def test_an_orchestrator_is_killed(self):
        self.load(lambda s: s.kill("orchestrator", 0))
