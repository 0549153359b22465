# SPDX-License-Identifier: MIT
"""kill -9 of each service while 200 tasks are in flight: all complete, nothing is settled twice, nothing is left over."""
import unittest

from lib.gate import Gate
from lib.load import Load
from lib.system import System, eventually

ENV = {"TASKER_DISPATCH_LEASE": "3s", "TASKER_DISPATCH_HEARTBEAT": "300ms", "TASKER_DISPATCH_QUEUE_POLL": "1s",
       "TASKER_SWEEPER_INTERVAL": "2s", "TASKER_SWEEPER_IDLE": "20s"}
PATIENT = {"TASKER_DISPATCH_LEASE": "30s", "TASKER_DISPATCH_HEARTBEAT": "5s"}  # nobody is given up because the machine is busy


class Processes(unittest.TestCase):
    def system(self, patient=False, permits=None, **kwargs):
        s = System(env={**ENV, **(PATIENT if patient else {}), **({"TASKER_WORKER_PERMITS": str(permits), "TASKER_WORKER_PREFETCH": "0"} if permits else {})}, **kwargs)
        self.addCleanup(s.stop)
        return s

    def repairs(self, s):
        return sum(s.metric(o["rest"], "tasker_orchestrator_sweeper_repairs_total") for o in s.endpoints["orchestrators"] if s.alive(o["pid"]))

    def test_worker_killed(self):
        """Of twelve steps that stand at a gate each worker has some, for it takes eight at most."""
        s = self.system(patient=True, workers=2, permits=8)
        load = Load(s).start()
        load.until(20)
        with Gate(s) as gate:
            held = [s.submit("tests", "chain", {"gate": gate.path, "journal": s.journal}) for _ in range(12)]

            def begun():
                with open(s.journal, encoding="utf-8") as f:
                    return {line.split()[1] for line in f if line.startswith("begin ")}
            eventually(lambda: begun() >= set(held), 30, "they stand at the gate")
            s.kill("worker", 0)
        for task in held:
            self.assertEqual(s.wait(task, 60)["status"], "complete")
        load.finish(self)
        lost = s.value("SELECT count(*) FROM tasker.workflow_steps WHERE losses > 0 AND name = 'one' AND task_uuid = ANY ($1)", held)
        self.assertTrue(4 <= lost <= 8, lost)
        self.assertEqual(self.repairs(s), 0)

    def test_the_only_worker_killed_and_started_again(self):
        s = self.system()
        load = Load(s).start()
        load.until(20)
        s.kill("worker")
        s.respawn("worker")
        load.finish(self)
        self.assertEqual(self.repairs(s), 0)

    def test_one_of_two_orchestrators_killed(self):
        s = self.system(orchestrators=2, workers=2)
        load = Load(s).start()
        load.until(20)
        s.kill("orchestrator", 0)
        load.finish(self)
        self.assertEqual(self.repairs(s), 0)

    def test_the_only_orchestrator_killed_and_started_again(self):
        s = self.system()
        load = Load(s).start()
        load.until(20)
        s.kill("orchestrator")
        s.respawn("orchestrator")
        load.finish(self)
        self.assertEqual(self.repairs(s), 0)

    def test_without_a_cache_a_fresh_worker_reads_its_own_files(self):
        s = self.system()
        s.kill("cache")
        s.kill("worker")
        s.respawn("worker")
        tasks = [s.submit("tests", name, {}) for name in ("chain", "diamond", "tree", "fan")]  # one asks the cache, the others leave it alone
        self.assertEqual([s.wait(task)["status"] for task in tasks], ["complete"] * 4)
        self.assertTrue(s.alive(s.process("worker")["pid"]), s.logs())

    def test_cache_killed(self):
        s = self.system()
        load = Load(s).start()
        load.until(20)
        s.kill("cache")
        load.finish(self)
        self.assertEqual(self.repairs(s), 0)

    def test_clean_stop_of_one_orchestrator_gives_everything_back(self):
        s = self.system(patient=True, orchestrators=2, workers=2)
        load = Load(s).start()
        load.until(20)
        process = s.kill("orchestrator", 0, sig=15)
        eventually(lambda: not s.alive(process["pid"]), 40, "it has stopped")
        load.finish(self)
        self.assertEqual(s.value("SELECT coalesce(sum(losses), 0) FROM tasker.workflow_steps"), 0)
        self.assertEqual(self.repairs(s), 0)

    def test_clean_stop_of_one_worker_loses_nothing(self):
        s = self.system(patient=True, workers=2)
        load = Load(s).start()
        load.until(20)
        process = s.kill("worker", 0, sig=15)
        eventually(lambda: not s.alive(process["pid"]), 40, "it has stopped")
        load.finish(self)
        self.assertEqual(s.value("SELECT coalesce(sum(losses), 0) FROM tasker.workflow_steps"), 0)
        self.assertEqual(s.value("SELECT max(attempts - forgiven) FROM tasker.workflow_steps"), 1)
