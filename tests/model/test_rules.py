# SPDX-License-Identifier: MIT
"""The model by itself: whatever the order in which chance lets things happen, a task that can be complete ends the same."""
import random
import unittest

import generate
from rules import COMPLETE, ERROR, PENDING, WAITING, foretell

TASKS = 1500


class Model(unittest.TestCase):
    def test_order_does_not_matter(self):
        ends = {}
        for i in range(TASKS):
            rnd = random.Random(i)
            template = generate.template(rnd, "t")
            said = generate.script(rnd, template)
            one, other = (foretell(template, said, random.Random(f"{i}/{k}")) for k in range(2))
            ends[one.state] = ends.get(one.state, 0) + 1
            self.assertIn(one.state, ("complete", "blocked_by_failures"), f"seed {i}")
            self.assertEqual(one.state, other.state, f"seed {i}")
            for task in (one, other):
                self.assertFalse(task.ready(), f"seed {i}")
                self.assertLessEqual({s.state for s in task.steps.values()}, {COMPLETE, ERROR, PENDING, WAITING})
            if one.state == "complete":
                self.assertEqual({n: (s.state, s.attempts) for n, s in one.steps.items()}, {n: (s.state, s.attempts) for n, s in other.steps.items()}, f"seed {i}")
        self.assertGreater(min(ends.values()), TASKS / 10, ends)


if __name__ == "__main__":
    unittest.main()
