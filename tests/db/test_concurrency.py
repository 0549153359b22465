# SPDX-License-Identifier: MIT
"""Four orchestrators on one database, thousands of overlapping batches: nobody waits crosswise, every count is exact."""
import os
import unittest

from crowd import Crowd
from engine import CHECK
from lib import pg

CALLS = int(os.environ.get("TASKER_DB_CALLS", "10000"))
MEMBERS = 4
HOT_MIN = 0.9


class Load(unittest.TestCase):
    """The load runs once; every test looks at what it left behind."""

    @classmethod
    def setUpClass(cls):
        server = pg.shared()
        cls.db = server.database(server.migrated())
        cls.crowd = Crowd(lambda: server.connect(cls.db), MEMBERS, CALLS)
        cls.crowd.run()
        if not cls.crowd.errors:
            cls.crowd.drain()
        for engine in cls.crowd.engines:
            engine.c.close()  # what it counted reaches the statistics now
        cls.c = server.connect(cls.db, hot=False)
        cls.addClassCleanup(cls.c.close)

    def count(self, what):
        return self.c.value(f"SELECT count(*) FROM tasker.{what}")

    def test_nobody_failed(self):
        self.assertEqual(self.crowd.errors, [])

    def test_the_load_was_one(self):
        for kind in ("created", "duplicate", "assign", "queued", "settled", "retry", "failed", "already", "stale", "cancelled"):
            self.assertGreater(self.crowd.counts[kind], 0, kind)

    def test_counters_and_graphs_agree(self):
        self.assertEqual(self.c.query(CHECK, None), [])

    def test_everything_came_to_an_end(self):
        states = dict(r.values() for r in self.c.query("SELECT state::text, count(*) FROM tasker.tasks GROUP BY 1"))
        self.assertEqual(set(states) - {"complete", "cancelled", "blocked_by_failures"}, set())
        self.assertEqual(self.count("open_tasks"), states["blocked_by_failures"])
        self.assertEqual(self.count("step_timers"), 0)
        for queue in ("bank", "shop"):
            self.assertEqual(self.c.value(f"SELECT count(*) FROM pgmq.q_worker_{queue}_queue"), 0)

    def test_every_answer_happened_exactly_once(self):
        said = self.crowd.counts
        self.assertEqual(said["created"], self.count("tasks"))
        self.assertEqual(said["assign"], self.c.value("SELECT sum(attempts) FROM tasker.workflow_steps"))
        self.assertEqual(said["settled"], self.count("step_results WHERE success"))
        self.assertEqual(said["retry"] + said["failed"], self.count("step_results WHERE NOT success"))
        self.assertEqual(said["settled"], self.count("workflow_step_transitions WHERE to_state = 'complete'"))
        self.assertEqual(said["failed"], self.count("workflow_steps WHERE state = 'error'")
                         + self.count("workflow_step_transitions WHERE from_state = 'error'"))
        self.assertEqual(said["cancelled"], self.count("tasks WHERE state = 'cancelled'"))

    def test_hot_rows_are_updated_in_place(self):
        for row in self.c.query("SELECT relname, n_tup_upd AS n, n_tup_hot_upd AS hot FROM pg_stat_user_tables "
                                "WHERE relname IN ('tasks', 'workflow_steps')"):
            self.assertGreater(row.n, CALLS)
            self.assertGreaterEqual(row.hot / row.n, HOT_MIN, row.relname)
