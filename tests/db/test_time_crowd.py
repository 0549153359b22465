# SPDX-License-Identifier: MIT
"""The crowd of test_concurrency.py with time against it: starts, deadlines, timeouts and queues that end while everybody settles, claims and cancels.

Times are real and short, so that they end in the middle of everything else."""
import os
import time
import unittest

from crowd import Crowd
from engine import CHECK, of
from lib import pg

CALLS = int(os.environ.get("TASKER_DB_CALLS", "10000")) // 6
MEMBERS = 4
OVER_S = 60


class Hurried(Crowd):
    def __init__(self, connect, members, calls):
        super().__init__(connect, members, calls, seed=2)
        graphs = ({"a": [], "b": [], "c": ["a", "b"]}, {f"s{i}": [f"s{i - 1}"] if i else [] for i in range(5)})
        self.templates = [self.engines[0].register(g, namespace=ns, body={"on_timeout": end}, **{"*": {
            "backoff": "none", "max_attempts": 4, "on_timeout": mode, "queue_timeout_ms": queue, "on_queue_timeout": then}})
            for g in graphs for ns in ("shop", "bank") for end, mode, queue, then in (("error", "cancel", 30, "error"), ("cancel", "error", 150, "cancel"), ("error", "retry", 60, "retry"), ("error", "retry", None, None))]

    def _create(self, engine, dice):
        def soon():
            return dice.choice((None, engine.at(dice.random() * 0.2)))
        requests = [{"template": dice.choice(self.templates), "run_at": soon(), "deadline": soon(), "timeout_s": dice.choice((None, None, 1))}
                    for _ in range(dice.randint(1, 12))]
        return engine.create_many(requests, self._credit(dice))

    def _settle(self, engine, dice):
        held = self._some(dice, 40)
        kind = dice.choice(("Busy", "Busy", "handler_timeout"))
        failure = {"success": False, "metadata": {"error_type": kind}}
        if dice.random() < 0.7:
            return engine.settle(held, self._credit(dice))
        return engine.settle(held, self._credit(dice), success=False, delay_ms=0, result=failure)


    def wait_for_both(self, end):
        """However fast the machine: a step that nobody takes is given up, and a deadline comes while steps are at work."""
        engine, seen = self.engines[0], set()
        self._keep(engine.create(self.templates[0]) + engine.create(self.templates[2], credit=10, deadline=engine.at(0.05)))
        while seen < {"queue", "task"} and time.monotonic() < end:
            rows = engine.fire({}, limit=1000)
            self._keep(rows)
            seen |= {r["step_name"] for r in of(rows, "timed_out")}

    def drain(self):
        """Once round; every answer is counted."""
        engine = self.engines[0]
        rows = engine.claim(1000, ("bank", "shop"), losses_max=1000) + engine.fire({"bank": 1000, "shop": 1000}, limit=1000)
        while rows:
            self._keep(rows)
            rows = engine.settle(of(rows, "assign"), {"bank": 10000, "shop": 10000})


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = pg.shared()
        cls.db = server.database(server.migrated())
        cls.crowd = Hurried(lambda: server.connect(cls.db), MEMBERS, CALLS)
        cls.crowd.run()
        cls.c = server.connect(cls.db, hot=False)
        cls.addClassCleanup(cls.c.close)
        end = time.monotonic() + OVER_S
        cls.crowd.wait_for_both(end)
        while not cls.crowd.errors and time.monotonic() < end and cls.c.value(
                "SELECT count(*) FROM tasker.open_tasks o JOIN tasker.tasks t USING (task_uuid) WHERE t.state <> 'blocked_by_failures' OR o.due_at IS NOT NULL"):
            cls.crowd.drain()

    def test_nobody_failed(self):
        self.assertEqual(self.crowd.errors, [])

    def test_the_load_was_one(self):
        for kind in ("created", "assign", "queued", "settled", "retry", "failed", "stale", "cancelled", "timed_out", "called_off"):
            self.assertGreater(self.crowd.counts[kind], 0, kind)

    def test_counters_and_graphs_agree(self):
        self.assertEqual(self.c.query(CHECK, None), [])

    def test_everything_came_to_an_end(self):
        states = set(self.c.column("SELECT DISTINCT state::text FROM tasker.tasks"))
        self.assertEqual(states - {"complete", "error", "cancelled", "blocked_by_failures"}, set())
        for table in ("step_timers", "queue_timers", "open_tasks WHERE due_at IS NOT NULL"):
            self.assertEqual(self.c.value(f"SELECT count(*) FROM tasker.{table}"), 0, table)

    def test_each_time_came_once(self):
        ended = self.c.value("SELECT count(*) FROM tasker.task_transitions WHERE metadata ->> 'reason' LIKE 'it was not complete by its deadline%'")
        given_up = self.c.value("SELECT count(*) FROM tasker.workflow_step_transitions WHERE actor = 'timer' AND reason LIKE '%queue_timeout_seconds%'")
        self.assertEqual(self.crowd.counts["timed_out"], ended + given_up)
        self.assertGreater(min(ended, given_up), 0)
        started = self.c.column("SELECT count(*) FROM tasker.task_transitions WHERE metadata ->> 'action' = 'start' GROUP BY task_uuid")
        self.assertEqual(set(started), {1})

    def test_nothing_ran_before_its_start_and_nothing_is_given_out_after_its_end(self):
        early = """SELECT count(*) FROM tasker.workflow_step_transitions h JOIN tasker.tasks t USING (task_uuid)
                    WHERE h.from_state = 'pending' AND h.to_state IN ('enqueued', 'in_progress') AND h.at < t.run_at"""
        # By what is left: neither clocks nor transaction ids, both read before a task's lock is there, say who came first.
        late = """SELECT count(*) FROM tasker.workflow_steps s JOIN tasker.tasks t USING (task_uuid)
                   WHERE s.state IN ('enqueued', 'in_progress') AND t.state IN ('error', 'cancelled')"""
        self.assertEqual((self.c.value(early), self.c.value(late)), (0, 0))
