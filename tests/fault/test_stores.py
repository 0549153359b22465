# SPDX-License-Identifier: MIT
"""Redis gone, PostgreSQL restarted: services stay up, answer 503 meanwhile, and lose nothing."""
import os
import signal
import unittest

from lib.load import Load
from lib.system import System, eventually
from test_processes import ENV


class Stores(unittest.TestCase):
    def system(self, **kwargs):
        s = System(env=ENV, **kwargs)
        self.addCleanup(s.stop)
        return s

    def all_alive(self, s):
        for kind in ("orchestrators", "workers", "caches"):
            for p in s.endpoints[kind]:
                self.assertTrue(s.alive(p["pid"]), f"{kind}: {s.logs()}")

    def test_redis_killed(self):
        s = self.system(orchestrators=2, workers=2)
        load = Load(s).start()
        load.until(20)
        os.kill(s.endpoints["redis_pid"], signal.SIGKILL)
        load.finish(self)
        self.all_alive(s)

        def told():
            s.run("tests", "chain", {})  # its end is a hint to the other orchestrator
            return s.metric(s.rest, 'tasker_orchestrator_breaker_open{breaker="redis"}')
        eventually(told, 60, "the breaker on Redis is open")
        health = s.call("GET", "/health/detailed").json
        self.assertEqual((health["checks"]["circuit_breaker"]["status"], health["info"]["circuit_breaker_state"]), ("healthy", "Closed"))

    def test_redis_hangs(self):
        s = self.system(orchestrators=2, workers=2)
        load = Load(s).start()
        load.until(20)
        os.kill(s.endpoints["redis_pid"], signal.SIGSTOP)
        self.addCleanup(os.kill, s.endpoints["redis_pid"], signal.SIGCONT)
        load.finish(self)
        self.all_alive(s)

    def restart(self, mode):
        s = self.system(orchestrators=2, workers=2)
        load = Load(s).start()
        load.until(20)
        s.restart_postgres(mode)
        load.finish(self)
        self.all_alive(s)
        for o in s.endpoints["orchestrators"]:
            eventually(lambda rest=o["rest"]: s.call("GET", "/health/ready", base=rest).status == 200, 20, "ready again")
            self.assertEqual(s.metric(o["rest"], "tasker_orchestrator_sweeper_repairs_total"), 0)

    def test_postgres_restarted_fast(self):
        self.restart("fast")

    def test_postgres_restarted_immediate(self):
        self.restart("immediate")

    def test_without_postgres_services_answer_503_and_come_back(self):
        s = self.system()
        s._pg_ctl("stop", "-w", "-m", "immediate")
        reply = eventually(lambda: (r := s.call("GET", "/v1/tasks")).status == 503 and r, 20, "503 without a database")
        self.assertEqual((reply.headers["Retry-After"], reply.json["error"]["code"]), ("1", "SERVICE_UNAVAILABLE"))
        body = {"namespace": "tests", "name": "chain", "version": "1.0.0", "context": {}, "initiator": "t", "source_system": "t", "reason": "t"}
        self.assertEqual(s.call("POST", "/v1/tasks", body).status, 503)
        self.assertEqual(s.call("GET", "/health/live").status, 200)
        eventually(lambda: s.call("GET", "/health/ready").status == 503, 20, "not ready")
        s._pg_ctl("start", "-w", "-l", os.path.join(s.endpoints["postgres_data"], "again.log"), "-o", f"-p {s.endpoints['postgres'].rsplit(':', 1)[1].split('/')[0]} -k {s.dir_of_socket()}")
        s._pg_restarted = True
        eventually(lambda: s.call("GET", "/health/ready").status == 200, 30, "ready again")
        self.assertEqual(s.run("tests", "chain", {})["status"], "complete")
        self.all_alive(s)
        s.doctor()
