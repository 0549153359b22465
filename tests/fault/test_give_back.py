# SPDX-License-Identifier: MIT
"""Steps that a worker has taken in advance and cannot begin go back, and run elsewhere or later: no step waits behind a busy worker while another is idle."""
import signal
import unittest

from lib.gate import Gate
from lib.system import System, eventually

PERMITS = 2
AHEAD = 4
ENV = {"TASKER_WORKER_PERMITS": str(PERMITS), "TASKER_WORKER_PREFETCH": str(AHEAD), "TASKER_DISPATCH_LEASE": "120s", "TASKER_WORKER_HANDLER_TIMEOUT": "10m"}  # nothing ends by time
FIRST = "SELECT s.state, s.attempts, s.forgiven, s.losses FROM tasker.workflow_steps s WHERE s.task_uuid = $1 AND s.step_no = 0"
BACK = """SELECT count(*) FROM tasker.workflow_step_transitions x JOIN tasker.workflow_steps s USING (workflow_step_uuid)
 WHERE s.step_no = 0 AND x.reason = 'given back' AND x.task_uuid = ANY ($1)"""
COSTS = "SELECT max(losses) AS losses, max(attempts - forgiven) AS counted FROM tasker.workflow_steps WHERE task_uuid = ANY ($1)"


class GiveBack(unittest.TestCase):
    def system(self, **kwargs):
        self.s = System(env={**ENV, **kwargs.pop("env", {})}, **kwargs)
        self.addCleanup(self.s.stop)
        gate = Gate(self.s)
        self.addCleanup(gate.open)
        return gate

    def submit(self, n, gate=None):
        context = {"journal": self.s.journal, **({"gate": gate.path} if gate else {})}
        return [self.s.submit("tests", "chain", context) for _ in range(n)]

    def begun(self):
        """The tasks whose handlers have begun, once for each of their attempts."""
        try:
            with open(self.s.journal, encoding="utf-8") as f:
                return [line.split()[1] for line in f if line.startswith("begin ") and line.split()[2] == "one"]
        except FileNotFoundError:
            return []

    def full(self, gate):
        """A worker with a long step on every permit."""
        tasks = self.submit(PERMITS, gate)
        eventually(lambda: set(self.begun()) >= set(tasks), 30, "they stand at the gate")
        return tasks

    def firsts(self, tasks):
        return [self.s.sql(FIRST, task)[0] for task in tasks]

    def are_given_back(self, tasks):
        """Those that the worker had taken; after the first of them it takes none."""
        eventually(lambda: self.s.value(BACK, tasks) and all(row.state == "enqueued" for row in self.firsts(tasks)), 30, "what cannot begin is given back")
        for row in self.firsts(tasks):
            self.assertEqual((row.attempts - row.forgiven, row.losses), (0, 0))

    def end(self, tasks, losses=0):
        for task in tasks:
            self.assertEqual(self.s.wait(task, 60)["status"], "complete")
        row, = self.s.sql(COSTS, tasks)
        self.assertEqual((row.losses, row.counted), (losses, 1))
        self.s.doctor()

    def test_they_run_at_another_worker(self):
        gate = self.system(workers=2)
        self.s.kill("worker", 1)
        eventually(lambda: self.s.metric(self.s.rest, "tasker_orchestrator_workers_connected") == 1, 30, "one worker is left")
        long = self.full(gate)
        short = self.submit(AHEAD)
        self.are_given_back(short)
        back = self.s.value(BACK, short)
        self.assertTrue(1 <= back <= AHEAD, back)
        self.assertEqual(self.s.metric(self.s.process("worker")["rest"], "tasker_worker_steps_given_back_total"), back)
        self.assertEqual(self.s.metric(self.s.rest, 'tasker_orchestrator_steps_released_total{reason="returned"}'), back)
        self.s.respawn("worker", 1)
        for task in short:
            self.assertEqual(self.s.wait(task, 60)["status"], "complete")
        self.assertEqual(sorted(self.begun()), sorted(long + short), "each once, the long ones still stand there")
        self.assertEqual(self.s.metric(self.s.process("worker")["rest"], "tasker_worker_steps_given_back_total"), back, "none went back to the busy worker")
        gate.open()
        self.end(long + short)

    def test_a_worker_alone_takes_them_when_a_permit_is_free(self):
        """It has credit left when it gives back, at two orchestrators; that counts no more, or it would get the same steps again, and again."""
        gate = self.system(orchestrators=2, env={"TASKER_DISPATCH_QUEUE_POLL": "100ms"})
        polls = [lambda o=o: self.s.metric(o["rest"], "tasker_orchestrator_queue_polls_total") for o in self.s.endpoints["orchestrators"]]

        def second():
            before = [looks() for looks in polls]
            eventually(lambda: all(looks() >= was + 10 for looks, was in zip(polls, before)), 60, "the queue was looked at for a second")
        with Gate(self.s) as first:
            long = self.submit(1, gate) + self.submit(PERMITS - 1, first)
            eventually(lambda: set(self.begun()) >= set(long), 30, "they stand at their gates")
            short = self.submit(AHEAD // 2)
            self.are_given_back(short)
            eventually(lambda: not any(self.s.metric(o["rest"], "tasker_orchestrator_credit_free") for o in self.s.endpoints["orchestrators"]), 30, "it is recalled")
            late = self.submit(2)
            second()
            taken, back = [row.attempts for row in self.firsts(short + late)], self.s.value(BACK, short + late)
            second()
            self.assertEqual([row.attempts for row in self.firsts(short + late)], taken, "nobody took them meanwhile")
            self.assertLessEqual(back, AHEAD)
        for task in short + late:  # one permit moves, and takes nothing in advance
            self.assertEqual(self.s.wait(task, 60)["status"], "complete")
        self.assertEqual(self.s.value(BACK, short + late), back)
        gate.open()
        self.end(long + short + late)
        self.assertEqual(sorted(self.begun()), sorted(long + short + late))

    def test_the_worker_dies_after_it(self):
        gate = self.system()
        long = self.full(gate)
        short = self.submit(AHEAD)
        back = eventually(lambda: [task for task in short if self.s.value(BACK, [task])], 30, "they are on their way back")
        self.s.kill("worker")  # maybe with others that are yet to follow
        gate.open()
        self.s.respawn("worker")
        self.end(long + short, losses=1)
        self.assertEqual(self.s.value("SELECT max(losses) FROM tasker.workflow_steps WHERE task_uuid = ANY ($1)", back), 0)

    def test_the_orchestrator_dies_about_then(self):
        """Whether it has heard of it or not: what was not begun begins once, with no lease to wait for."""
        gate = self.system(orchestrators=2)
        other = self.s.endpoints["orchestrators"][1]["rest"]
        long = self.full(gate)
        short = self.submit(AHEAD)
        eventually(lambda: self.s.metric(self.s.process("worker")["rest"], "tasker_worker_steps_given_back_total") > 0, 30, "they are on their way back")
        self.s.kill("orchestrator")
        gate.open()
        for task in long + short:
            self.assertEqual(self.s.wait(task, 60, base=other)["status"], "complete")
        self.assertEqual(sorted(self.begun()), sorted(long + short))
        row, = self.s.sql(COSTS, long + short)
        self.assertEqual((row.losses, row.counted), (0, 1))
        self.s.doctor()

    def test_a_worker_that_stops_gives_back_what_it_has_not_begun(self):
        gate = self.system(env={"TASKER_SHUTDOWN_GRACE": "60s"})
        long = self.full(gate)
        short = self.submit(AHEAD)
        process = self.s.kill("worker", sig=signal.SIGTERM)
        self.are_given_back(short)
        self.assertTrue(self.s.alive(process["pid"]), "it waits for its long steps")
        gate.open()
        eventually(lambda: not self.s.alive(process["pid"]), 60, "it has stopped")
        self.s.respawn("worker")
        self.end(long + short)
        self.assertEqual(sorted(self.begun()), sorted(long + short))
