# SPDX-License-Identifier: MIT
"""Several orchestrators at once, without any manners: a load whose every answer can be counted.

Model: all members share one pool of assignments and most often leave in it what they took, so that the same execution is
settled, released, renewed and cancelled from several connections in overlapping batches. What the functions answered is
counted by kind; the database must say the same afterwards.
"""
import collections
import random
import threading
import traceback

from engine import SHAPES, Engine, of

POOL_MAX = 600
FORGET = 0.4  # how much of what was settled leaves the pool


class Crowd:
    def __init__(self, connect, members, calls, seed=1):
        self.counts, self.errors, self.stop = collections.Counter(), [], threading.Event()
        self._lock, self._left, self._pool, self._tasks = threading.Lock(), calls, [], []
        self._seed, self._known = seed, [random.Random(seed).randbytes(32) for _ in range(200)]
        self.engines = [Engine(connect()) for _ in range(members)]
        graphs = [*SHAPES.values(), {"end": []}, {**{f"p{i}": [] for i in range(12)}, "in": [f"p{i}" for i in range(12)]}]
        self.templates = [self.engines[0].register(g, namespace=ns, **{"*": {"backoff": "none", "max_attempts": 4}})
                          for g in graphs for ns in ("shop", "bank")]

    # -- one member --

    def _member(self, number):
        dice, engine = random.Random(self._seed * 1000 + number), self.engines[number]
        acts = {self._settle: 40, self._claim: 25, self._release: 8, self._renew: 10, self._create: 8, self._fire: 6,
                self._end_leases: 2, self._cancel: 1}
        try:
            while self._take_turn():
                act, = dice.choices(list(acts), acts.values())
                self._keep(act(engine, dice))
        except Exception:  # whatever it is: the test shows it
            self.errors.append(traceback.format_exc())
            self.stop.set()

    def _take_turn(self):
        with self._lock:
            self._left -= 1
            return self._left >= 0 and not self.stop.is_set()

    def _keep(self, rows):
        with self._lock:
            self.counts.update(r["kind"] for r in rows)
            self._tasks += [r["task_uuid"] for r in of(rows, "created")]
            self._pool += of(rows, "assign")
            if len(self._pool) > POOL_MAX:
                del self._pool[:len(self._pool) - POOL_MAX]

    def _some(self, dice, most):
        with self._lock:
            return dice.sample(self._pool, min(len(self._pool), dice.randint(1, most)))

    @staticmethod
    def _credit(dice):
        return {ns: dice.choice((0, 1, 5, 100)) for ns in ("bank", "shop")}

    def _settle(self, engine, dice):
        held = self._some(dice, 40)
        with self._lock:
            gone = {id(a) for a in held if dice.random() < FORGET}
            self._pool = [a for a in self._pool if id(a) not in gone]
        ok = [dice.random() < 0.97 for _ in held]
        return engine.settle(held, self._credit(dice), success=ok, retryable=dice.random() < 0.95, delay_ms=0)

    @staticmethod
    def _claim(engine, dice):
        return engine.claim(dice.randint(1, 40), dice.sample(("bank", "shop"), dice.randint(1, 2)))

    def _release(self, engine, dice):
        return engine.release(self._some(dice, 10), lost=dice.random() < 0.5, losses_max=100)

    def _renew(self, engine, dice):
        held = self._some(dice, 60)
        engine.renew(held)
        return []

    def _create(self, engine, dice):
        requests = [{"template": dice.choice(self.templates),
                     "identity": dice.choice((dice.randbytes(32), dice.randbytes(32), dice.choice(self._known)))}
                    for _ in range(dice.randint(1, 12))]
        return engine.create_many(requests, self._credit(dice))

    def _fire(self, engine, dice):
        return engine.fire(self._credit(dice), limit=dice.randint(1, 50))

    def _end_leases(self, engine, dice):
        for a in self._some(dice, 3):
            engine.end_lease(a)
        return []

    def _cancel(self, engine, dice):
        with self._lock:
            task = dice.choice(self._tasks[-40:]) if self._tasks else None  # older ones have ended
        if task:
            rows = engine.cancel(task)
            with self._lock:
                self.counts["cancelled"] += rows[0].outcome == "cancelled"
        return []

    # -- all of them --

    def run(self):
        """Makes all calls; errors holds what went wrong."""
        threads = [threading.Thread(target=self._member, args=(n,)) for n in range(len(self.engines))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def drain(self):
        """Everything that can end ends, successfully."""
        engine = self.engines[0]
        for queue in ("bank", "shop"):
            engine.c.query(f"UPDATE pgmq.q_worker_{queue}_queue SET vt = clock_timestamp()")
        while True:
            rows = engine.claim(1000, ("bank", "shop"), losses_max=1000) + engine.fire(limit=1000)
            if not of(rows, "assign", "queued", "failed"):
                return
            while rows:
                self._keep(rows)
                rows = engine.settle(of(rows, "assign"), {"bank": 10000, "shop": 10000})
