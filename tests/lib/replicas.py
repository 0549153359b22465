# SPDX-License-Identifier: MIT
"""Tests on two orchestrators and two workers, which after every one of them are consistent and had nothing to repair."""
import unittest

from lib.system import System


class Replicas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(orchestrators=2, workers=2)
        cls.addClassCleanup(cls.s.stop)

    def tearDown(self):
        self.s.doctor()
        for at in range(2):
            self.assertEqual(self.s.metric(self.s.process("orchestrator", at)["rest"], "tasker_orchestrator_sweeper_repairs_total"), 0)
