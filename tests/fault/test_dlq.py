# SPDX-License-Identifier: MIT
"""Orchestrators die while they look for tasks that stand still: each task is found once, as a whole or not at all."""
import threading
import unittest

from lib.clock import age
from lib.system import System, eventually

TASKS = 40
ENV = {"TASKER_STALENESS_INTERVAL": "1s", "TASKER_STALENESS_BATCH_MAX": "7", "TASKER_DISPATCH_HEARTBEAT": "300ms",  # no lease ends here because the machine is busy
       "TASKER_DISPATCH_QUEUE_POLL": "1s", "TASKER_WORKER_PERMITS": "64"}


class DeadLetters(unittest.TestCase):
    def test_orchestrators_are_killed_while_they_look(self):
        s = System(orchestrators=2, env=ENV)
        self.addCleanup(s.stop)
        held = [s.submit("tests", "stall", {}) for _ in range(TASKS)]
        eventually(lambda: s.value("SELECT count(*) FROM tasker.workflow_steps WHERE name = 'middle' AND state = 'in_progress'") == TASKS, 30, "all stand still")
        # A lock on one task, as if the look were in the middle: whoever looks goes past it, whoever dies leaves nothing half done.
        with s.conn() as lock:
            lock.script("BEGIN")
            lock.query("SELECT 1 FROM tasker.tasks WHERE task_uuid = $1 FOR UPDATE", held[0])
            for task in held[1:]:
                age(s, task, 3)

            def found():
                return s.value("SELECT count(*) FROM tasker.dead_letters WHERE dlq_reason = 'staleness_timeout'")
            pause = threading.Event()
            for at in (0, 1, 0, 1):
                before = found()
                eventually(lambda before=before: found() > before or found() == TASKS - 1, 20, "more is found")
                s.kill("orchestrator", at)
                pause.wait(0.1)
                half = s.value("SELECT count(*) FROM tasker.tasks t WHERE (state = 'error') <> EXISTS (SELECT 1 FROM tasker.dead_letters d WHERE d.task_uuid = t.task_uuid)")
                self.assertEqual(half, 0, "an end and its entry are one transaction")
                s.respawn("orchestrator", at)
            eventually(lambda: found() == TASKS - 1, 40, "all are found")
            lock.script("ROLLBACK")
        self.assertEqual(s.value("SELECT count(*) FROM tasker.dead_letters"), TASKS - 1, "each once")
        eventually(lambda: s.ready("orchestrator"), 30, "it is back")
        answer = s.call("POST", "/v1/dlq/bulk", {"by": "kim", "reason": "r", "action": "revive", "filter": {"all": True}}).json
        self.assertEqual(answer["changed"], TASKS - 1)
        eventually(lambda: s.value("SELECT count(*) FROM tasker.tasks WHERE state = 'complete'") == TASKS - 1, 40, "the revived are complete")
        s.call("DELETE", f"/v1/tasks/{held[0]}")
        s.doctor()
