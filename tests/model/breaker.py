# SPDX-License-Identifier: MIT
"""Breaks the running system while players play: the fault seam of every service (docs/design/proof.md), and kill -9 at random.

Model: begin() starts every service anew with short leases and TASKER_FAULTS, then a thread kills one of them now and then; end() stops
the thread and starts them all anew without faults, so that what was left lying is picked up by services that work.
"""
import random
import threading

from lib.system import SLOW

PATIENCE = {"TASKER_DISPATCH_LEASE": f"{2 * SLOW}s", "TASKER_DISPATCH_HEARTBEAT": "300ms", "TASKER_DISPATCH_QUEUE_POLL": "300ms",
            "TASKER_TIMERS_POLL": "300ms", "TASKER_DISPATCH_LOSSES_MAX": "1000"}
LOSSES_MAX = 1000
FAULTS = {"orchestrator": "statement_before:0.003,statement_after:0.003,post:0.01,push_lose:0.003,push_close:0.003,push_late:0.01",
          "worker": "push_lose:0.003,push_close:0.003,push_twice:0.01,push_late:0.01"}
WHO = (("orchestrator", 0), ("orchestrator", 1), ("worker", 0), ("worker", 1))


class Breaker:
    def __init__(self, system, seed, kill_every_s):
        self.s, self.rnd, self.every_s = system, random.Random(f"{seed}/breaker"), kill_every_s
        self.stop, self.kills, self.errors = threading.Event(), 0, []
        self.thread = threading.Thread(target=self._break, daemon=True)

    def begin(self):
        for kind, at in WHO:
            self._anew(kind, at, {**PATIENCE, "TASKER_FAULTS": FAULTS[kind]})
        self.thread.start()
        return self

    def _anew(self, kind, at, env=None):
        self.s.kill(kind, at)
        self.s.respawn(kind, at, env)
        self.s.await_ready(kind, at)

    def _break(self):
        try:
            while not self.stop.wait(self.rnd.uniform(0.5, 1.5) * self.every_s * SLOW):
                kind, at = self.rnd.choice(WHO)
                self.s.kill(kind, at)
                self.stop.wait(self.rnd.uniform(0, 0.5))
                self.s.respawn(kind, at)
                self.kills += 1
        except Exception as e:  # the test shows it
            self.errors.append(e)

    def end(self):
        """No more faults; what is stranded by then must come to rest by itself."""
        self.stop.set()
        self.thread.join()
        for kind, at in WHO:
            self._anew(kind, at, {"TASKER_FAULTS": ""})
        assert not self.errors, self.errors
