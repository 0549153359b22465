# SPDX-License-Identifier: MIT
"""An orchestrator goes away while a worker runs a long step of its: another one takes over the lease, and the step runs once."""
import os
import signal
import unittest

from lib.gate import Gate
from lib.system import System, eventually

LEASE_S = 6  # long enough for a machine that stands still for a moment; so are the three heartbeats that may be missing
LOOK = "SELECT s.state, s.attempts, s.losses FROM tasker.workflow_steps s WHERE s.task_uuid = $1 AND s.step_no = 0"
VISIBLE_AT = "SELECT extract(epoch FROM q.vt - clock_timestamp()) FROM pgmq.q_worker_tests_queue q JOIN tasker.workflow_steps s ON s.msg_id = q.msg_id WHERE s.task_uuid = $1"


class Handover(unittest.TestCase):
    def setUp(self):
        self.s = System(orchestrators=2, env={"TASKER_DISPATCH_LEASE": f"{LEASE_S}s", "TASKER_DISPATCH_HEARTBEAT": "1s"})
        self.addCleanup(self.s.stop)
        self.gate = Gate(self.s)
        self.addCleanup(self.gate.open)

    def held(self, at):
        return self.s.metric(self.s.endpoints["orchestrators"][at]["rest"], "tasker_orchestrator_steps_in_flight")

    def long_step_of_the_first(self):
        task = self.s.submit("tests", "chain", {"gate": self.gate.path, "journal": self.s.journal}, base=self.s.endpoints["orchestrators"][0]["rest"])
        eventually(lambda: os.path.exists(self.s.journal), what="its handler runs")
        self.assertEqual((self.held(0), self.held(1)), (1, 0))
        return task

    def goes_on(self, task):
        """The other one holds the step, its lease is renewed past its end, and it ends as its first attempt."""
        eventually(lambda: self.held(1) == 1, 10, "the other one was told")
        eventually(lambda: self.s.metric(self.s.endpoints["orchestrators"][1]["rest"], "tasker_orchestrator_leases_renewed_total") >= 3, 30, "it renews the lease")
        self.assertGreater(self.s.value(VISIBLE_AT, task), 0)
        row, = self.s.sql(LOOK, task)
        self.assertEqual((row.state, row.attempts, row.losses), ("in_progress", 1, 0))
        self.gate.open()
        self.assertEqual(self.s.wait(task, base=self.s.endpoints["orchestrators"][1]["rest"])["status"], "complete")
        row, = self.s.sql(LOOK, task)
        self.assertEqual((row.state, row.attempts, row.losses), ("complete", 1, 0))
        with open(self.s.journal, encoding="utf-8") as f:
            self.assertEqual(sum(line.split()[0] == "begin" and line.split()[2] == "one" for line in f), 1)
        self.s.doctor()

    def test_it_stops(self):
        task = self.long_step_of_the_first()
        process = self.s.kill("orchestrator", 0, signal.SIGTERM)
        eventually(lambda: not self.s.alive(process["pid"]), 10, "it does not wait for the handler")
        self.goes_on(task)

    def test_it_dies(self):
        task = self.long_step_of_the_first()
        self.s.kill("orchestrator", 0)
        self.goes_on(task)


class LastClaim(unittest.TestCase):
    """An orchestrator stops while a claim of its is still on its way: what it brings is given back, for nobody is left to run it."""

    def test_a_claim_that_outlives_the_streams_is_given_back(self):
        s = System(env={"TASKER_DISPATCH_LEASE": "120s"})  # nothing comes back by time
        self.addCleanup(s.stop)
        s.kill("worker")
        task = s.submit("tests", "chain", {})
        eventually(lambda: s.sql(LOOK, task)[0].state == "enqueued", what="its first step waits")
        with s.conn() as c:
            c.query("BEGIN")
            c.query("SELECT 1 FROM tasker.tasks WHERE task_uuid = $1 FOR UPDATE", task)
            s.respawn("worker")
            eventually(lambda: s.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tasker-dispatch' AND wait_event_type = 'Lock'") == 1, 30, "it claims")
            process = s.kill("orchestrator", sig=signal.SIGTERM)
            eventually(lambda: s.logs(400).count('"worker.disconnected"') == 2, 30, "its streams are over")  # the killed worker's was the first
            c.query("ROLLBACK")
        eventually(lambda: not s.alive(process["pid"]), 30, "it has stopped")
        row, = s.sql(LOOK, task)
        self.assertEqual((row.state, row.losses), ("enqueued", 0))
        self.assertEqual(s.value("SELECT attempts - forgiven FROM tasker.workflow_steps WHERE task_uuid = $1 AND step_no = 0", task), 0)
        s.respawn("orchestrator")
        eventually(lambda: s.ready("orchestrator"), what="it is back")
        self.assertEqual(s.wait(task)["status"], "complete")
        s.doctor()
