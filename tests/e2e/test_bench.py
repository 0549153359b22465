# SPDX-License-Identifier: MIT
"""What scripts/bench, compare and profile measure with: a system whose commits are durable. One that is not is refused, not measured."""
import argparse
import os
import sys
import unittest

from lib.system import BIN, ROOT, eventually

sys.path.append(os.path.join(ROOT, "bench"))
import client  # noqa: E402
from client import Wrong  # noqa: E402
from graphs import GRAPHS  # noqa: E402
from start import durability, start  # noqa: E402


CLIENT = os.path.join(BIN, "tasker-bench")


class BenchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = start(argparse.Namespace(pg_bin=None, env=["TASKER_LOG_LEVEL=warn"]))
        cls.addClassCleanup(cls.s.stop)

    def set(self, setting):
        self.s.sql(f"ALTER SYSTEM {setting}")
        self.s.sql("SELECT pg_reload_conf()")

    def test_commits_wait_for_the_disk(self):
        self.assertEqual({"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}, durability(self.s))

    def test_a_server_that_does_not_wait_is_refused(self):
        for name in ("fsync", "synchronous_commit"):
            self.addCleanup(self.set, f"RESET {name}")
            self.set(f"SET {name} = off")
            eventually(lambda name=name: self.s.value(f"SHOW {name}") == "off", what=name)
            with self.assertRaisesRegex(Wrong, f"not durable.*{name} = off"):
                durability(self.s)
            self.set(f"RESET {name}")
            eventually(lambda name=name: self.s.value(f"SHOW {name}") == "on", what=name)

    def run_bench(self, graph, **options):
        return client.run(CLIENT, self.s.rest, [graph], tasks=20, clients=4, **options)

    def spoil(self, task, step):
        self.s.sql("UPDATE tasker.step_results r SET result = jsonb_set(result::jsonb, '{result}', '7')::json FROM tasker.workflow_steps s "
                   "WHERE s.workflow_step_uuid = r.workflow_step_uuid AND s.task_uuid = $1 AND s.name = $2", task, step)

    def test_every_value_is_read_back_at_once_or_later(self):
        for graph in (GRAPHS["linear"], GRAPHS["conditional"], GRAPHS["csv batch"]):
            done = self.run_bench(graph)
            self.assertEqual((20, 20 * graph.steps, 0), tuple(done["verified"][key] for key in ("tasks", "steps", "wrong")))
        later = client.Later()
        for graph in (GRAPHS["linear"], GRAPHS["diamond"]):
            self.assertEqual(0, self.run_bench(graph, later=later)["verified"]["steps"])
        self.assertEqual({"tasks": 40, "steps": 160}, later.read_back(CLIENT, self.s.rest))
        self.assertEqual({"tasks": 0, "steps": 0}, later.read_back(CLIENT, self.s.rest))

    def test_graphs_take_turns_so_that_all_run_on_the_same_machine(self):
        done = client.run(CLIENT, self.s.rest, [GRAPHS["linear"], GRAPHS["diamond"]], tasks=20, turn=5)
        self.assertEqual(2 * [*5 * [0], *5 * [1]], [row[4] for row in done["samples"]])
        names = [self.s.value("SELECT t.name FROM tasker.tasks k JOIN tasker.named_tasks t USING (named_task_uuid) WHERE k.task_uuid = $1", done["samples"][at][0]) for at in (4, 5)]
        self.assertEqual([GRAPHS["linear"].name, GRAPHS["diamond"].name], names)

    def test_a_fast_wrong_run_fails(self):
        graph, later = GRAPHS["linear"], client.Later()
        spoilt = []

        def between():  # when all is done, before it is read
            spoilt.append(self.s.value("SELECT task_uuid::text FROM tasker.tasks ORDER BY created_at DESC LIMIT 1"))
            self.spoil(spoilt[0], "linear_step_3")
        with self.assertRaises(Wrong) as wrong:
            self.run_bench(graph, loaded=between)
        self.assertIn(f"1 values were wrong, 0 tasks could not be read: task {spoilt[0]}, step linear_step_3: its result is not what was expected: 7", str(wrong.exception))
        done = self.run_bench(graph, later=later)
        self.spoil(done["samples"][11][0], "linear_step_1")
        with self.assertRaisesRegex(Wrong, f"1 values were wrong.*{done['samples'][11][0]}, step linear_step_1"):
            later.read_back(CLIENT, self.s.rest)

    def test_a_run_that_cannot_be_read_back_fails(self):
        later = client.Later()
        self.run_bench(GRAPHS["linear"], later=later)
        with self.assertRaisesRegex(Wrong, "20 tasks could not be read"):
            later.read_back(CLIENT, "http://127.0.0.1:1")
