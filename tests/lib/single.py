# SPDX-License-Identifier: MIT
"""Tests on one system of one service each, which after every one of them is consistent."""
import unittest

from lib.system import System


class Single(unittest.TestCase):
    env = None

    @classmethod
    def setUpClass(cls):
        cls.s = System(env=cls.env)
        cls.addClassCleanup(cls.s.stop)

    def tearDown(self):
        self.s.doctor()
