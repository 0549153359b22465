# SPDX-License-Identifier: MIT
"""A worker that is silent past its lease loses its steps; what it hands in later is refused."""
import os
import signal
import unittest

from lib.load import Load
from lib.system import System, eventually
from test_processes import ENV


class Stall(unittest.TestCase):
    def test_late_results_are_stale(self):
        s = System(env=ENV, workers=2)
        self.addCleanup(s.stop)
        load = Load(s, context={"sleep_ms": 120}).start()
        load.until(10)
        victim = s.process("worker", 0)
        eventually(lambda: s.metric(victim["rest"], "tasker_worker_steps_running") > 2, 20, "it runs steps", every=0.005)
        os.kill(victim["pid"], signal.SIGSTOP)
        self.addCleanup(lambda: s.alive(victim["pid"]) and os.kill(victim["pid"], signal.SIGCONT))
        eventually(lambda: s.value("SELECT count(*) FROM tasker.workflow_steps WHERE losses > 0") > 0, 30, "the silent worker's steps are lost")
        os.kill(victim["pid"], signal.SIGCONT)
        load.finish(self)
        eventually(lambda: s.call("GET", "/health/ready", base=victim["rest"]).status == 200, 30, "the worker is back")
        eventually(lambda: s.metric(victim["rest"], 'tasker_worker_results_acked_total{state="stale"}') > 0, what="its late results were refused")
        self.assertEqual(s.value("SELECT count(*) FROM tasker.workflow_steps WHERE state = 'complete' AND losses > 0") > 0, True)
