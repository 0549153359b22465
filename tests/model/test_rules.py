# SPDX-License-Identifier: MIT
"""The model by itself: whatever the order in which chance lets things happen, a task that can be complete ends the same."""
import random
import unittest

import generate
from foretell import Script, foretell
from rules import COMPLETE, ERROR, PENDING, WAITING
from template import SOURCES

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

    def test_what_runs_again_ends_as_if_it_had_never_run(self):
        """A complete task, from any step on once more, while sources may say something else: it has the steps of one that said so at once."""
        same = 0
        for i in range(TASKS):
            rnd = random.Random(i)
            template = generate.template(rnd, "t")
            said = generate.script(rnd, template)
            task = foretell(template, said, rnd)
            if task.state != "complete":
                continue
            again = task.rerun(rnd.choice(sorted(task.steps)))
            task.reopen()
            task.take_turns(again)
            left = set(task.steps)
            spoke = {s.name: Script(said).outcome(s.name, s.attempts).says for s in task.steps.values() if s.state == COMPLETE}
            anew = self.anew(rnd, template, spoke)
            foretell(template, anew, rnd, task)
            self.assertEqual(task.state, "complete", f"seed {i}")
            fresh = foretell(template, anew, rnd)
            self.assertEqual(set(task.steps), set(fresh.steps), f"seed {i}, of which {left} were left")
            same += 1
        self.assertGreater(same, TASKS / 2)

    @staticmethod
    def anew(rnd, template, spoke):
        """A script without failures; those that do not run again have said what they said."""
        return {step.name: [{"says": spoke.get(step.name) or calm(rnd, template, no)}] for no, step in enumerate(template.steps) if step.kind in SOURCES}


def calm(rnd, template, no):
    """An outcome that can be carried out."""
    while True:
        says = generate.outcomes(rnd, template, no)
        if says["type"] in ("no_branches", "no_batches", "create_batches") or (says["type"] == "create_steps" and says["step_names"] not in ([], ["nobody"])):
            return says


if __name__ == "__main__":
    unittest.main()
