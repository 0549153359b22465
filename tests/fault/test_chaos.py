# SPDX-License-Identifier: MIT
"""Three things break at once, at random, for a minute, under load; afterwards everything is complete and consistent.
The seed is printed; TASKER_CHAOS_SEED repeats it, TASKER_CHAOS_SECONDS changes how long."""
import os
import random
import signal
import threading
import time
import unittest

from lib.load import Load
from lib.system import System
from test_processes import ENV

SECONDS = float(os.environ.get("TASKER_CHAOS_SECONDS", "60"))


class Chaos(unittest.TestCase):
    def test_three_at_once(self):
        seed = int(os.environ.get("TASKER_CHAOS_SEED", random.SystemRandom().randrange(1 << 30)))
        print(f"seed {seed}", flush=True)
        rnd, pause = random.Random(seed), threading.Event()
        s = System(orchestrators=2, workers=3, env=ENV)
        self.addCleanup(s.stop)
        load = Load(s, tasks=200, pace_ms=SECONDS * 1000 / 200 * 4).start()

        def kill(kind, at):
            s.kill(kind, at)
            pause.wait(rnd.uniform(0, 1))
            s.respawn(kind, at)

        def stall(kind, at):
            pid = s.process(kind, at)["pid"]
            os.kill(pid, signal.SIGSTOP)
            pause.wait(rnd.uniform(0.1, 3))
            os.kill(pid, signal.SIGCONT)

        def redis():
            os.kill(s.endpoints["redis_pid"], signal.SIGSTOP)
            pause.wait(rnd.uniform(0.1, 2))
            os.kill(s.endpoints["redis_pid"], signal.SIGCONT)

        victims = [("worker", i) for i in range(3)] + [("orchestrator", i) for i in range(2)] + [("cache", 0)]
        end = time.monotonic() + SECONDS
        rounds = 0
        while time.monotonic() < end:
            faults = [(rnd.choice((kill, stall)), who) for who in rnd.sample(victims, 2)]
            third = rnd.choice([(redis, ()), (s.restart_postgres, (rnd.choice(("fast", "immediate")),))])
            threads = [threading.Thread(target=f, args=a) for f, a in faults + [third]]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            rounds += 1
            pause.wait(rnd.uniform(1, 3))
        print(f"{rounds} rounds", flush=True)
        load.finish(self, 180)
