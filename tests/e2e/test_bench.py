# SPDX-License-Identifier: MIT
"""What scripts/bench, compare and profile measure with: a system whose commits are durable. One that is not is refused, not measured."""
import argparse
import os
import sys
import unittest

from lib.system import ROOT, eventually

sys.path.append(os.path.join(ROOT, "bench"))
from client import Wrong  # noqa: E402
from graphs import GRAPHS  # noqa: E402
from start import durability, start  # noqa: E402


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

    def test_it_has_the_measured_shapes(self):
        graph = GRAPHS["linear"]
        task = self.s.submit(graph.namespace, graph.name, graph.context)
        self.assertEqual("complete", self.s.wait(task)["status"])
