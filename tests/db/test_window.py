# SPDX-License-Identifier: MIT
"""The window of a batch when instances run again: no more at once than the first time, lowest first, whatever else is at work, and nobody is forgotten."""
from engine import kinds, of
from test_growth import GrowthTest

STRATEGIES = ("fail_fast", "continue_on_failure", "isolate")


class Again(GrowthTest):
    def batch(self, n, window, strategy="fail_fast", old=False):
        """A complete task: d → b, p → w (instances, which wait for b too) → y. old: of before instances knew their window."""
        task, d, p = self.begin()
        steps, edges = self.batches(n, window, strategy)
        if old:
            steps = [s if isinstance(s, str) else (*s[:2], {k: v for k, v in s[2].items() if k != "__window"}, s[3]) for s in steps]
        out = of(self.expand(d, ["b"], [("d", "b")]), "assign") + of(self.expand(p, steps, [("b", "w"), *edges]), "assign")
        self.run_all(task, out, n)
        return task

    def run_all(self, task, out, most):
        """Settles what is at work, now one, now two at once, until nothing is; never more instances at once than `most`. Returns who ran, in order."""
        ran = []
        while out:
            self.assertLessEqual(sum(a.step_name.startswith("w_") for a in out), most)
            self.assertEqual(self.c.query("SELECT * FROM tasker.check_consistency($1)", task), [])
            take = 1 + len(ran) % 2
            ran += [a.step_name for a in out[:take]]
            out = out[take:] + of(self.e.settle(out[:take]), "assign")
        self.assertEqual((self.e.task(task).state, self.c.value("SELECT count(*) FROM tasker.workflow_steps WHERE no_room AND task_uuid = $1", task)), ("complete", 0))
        return ran

    def at_work(self, task):
        return self.c.query("SELECT workflow_step_uuid AS step_uuid, task_uuid, attempts AS attempt, msg_id, name AS step_name FROM tasker.workflow_steps "
                            "WHERE task_uuid = $1 AND state = 'in_progress' ORDER BY step_no, instance", task)

    def test_instances_run_again_in_their_window(self):
        for strategy in STRATEGIES:
            with self.subTest(strategy):
                task = self.batch(7, 3, strategy)
                self.e.rerun(task, "b")
                ran = self.run_all(task, of(self.e.claim(), "assign"), 3)
                self.assertEqual((ran[0], sorted(ran[1:-1]), ran[-1]), ("b", [f"w_{i:03}" for i in range(1, 8)], "y"))

    def test_more_than_once(self):
        task = self.batch(5, 2)
        for _ in range(3):
            self.e.rerun(task, "b")
            self.run_all(task, of(self.e.claim(), "assign"), 2)

    def test_one_that_runs_again_beside_those_at_work_waits_for_its_turn(self):
        for strategy in STRATEGIES:
            with self.subTest(strategy):
                task = self.batch(4, 2, strategy)
                self.e.rerun(task, "b")
                out = of(self.e.settle(of(self.e.claim(), "assign")), "assign")
                self.assertEqual(len(out), 2)
                first, second = sorted(out, key=lambda a: a.step_name)
                third, = of(self.e.settle([first]), "assign")
                self.assertEqual([a.step_name for a in (first, second, third)], ["w_001", "w_002", "w_003"])
                self.assertEqual(kinds(self.e.rerun(task, "w_001")), {"acted": 1}, "two are at work")
                self.assertTrue(self.e.step(task, "w_001").no_room)
                fourth, = of(self.e.settle([second]), "assign")
                self.assertEqual(fourth.step_name, "w_004", "it has not had its turn")
                again, = of(self.e.settle([third]), "assign")
                self.assertEqual(again.step_name, "w_001")
                self.run_all(task, [fourth, again], 2)

    def test_where_there_is_room_it_starts_at_once(self):
        task = self.batch(4, 2)
        self.assertEqual(kinds(self.e.rerun(task, "w_003")), {"acted": 1, "queued": 1, "done": 1})
        self.assertEqual(self.run_all(task, of(self.e.claim(), "assign"), 2), ["w_003", "y"])

    def test_a_failed_one_keeps_its_place(self):
        """It may be reset and would be one too many; isolated it has given the place away."""
        for strategy, waits in (("fail_fast", True), ("isolate", False)):
            with self.subTest(strategy):
                task = self.batch(3, 1, strategy)
                self.e.rerun(task, "w_001")
                self.e.settle(of(self.e.claim(), "assign"), success=False, retryable=False)
                self.e.rerun(task, "w_002")
                self.assertEqual(self.e.step(task, "w_002").no_room, waits)
                self.e.act(task, "w_001", "reset_for_retry")
                self.assertEqual(self.e.step(task, "w_001").no_room, not waits)
                self.run_all(task, of(self.e.claim(), "assign"), 1)

    def test_those_that_the_end_of_the_task_has_stopped_keep_their_places(self):
        task = self.batch(5, 2)
        self.e.rerun(task, "b")
        out = of(self.e.settle(of(self.e.claim(), "assign")), "assign")
        self.e.settle([a for a in out if a.step_name == "w_001"])
        self.assertEqual([a.step_name for a in self.at_work(task)], ["w_002", "w_003"])
        self.assertTrue(self.c.value("SELECT tasker.transition_task_state_atomic($1, 'steps_in_process', 'error', NULL)", task))
        self.e.rerun(task, "w_001")
        again = sorted(of(self.e.claim(), "assign"), key=lambda a: a.step_name)
        self.assertEqual((self.e.step(task, "w_001").no_room, [a.step_name for a in again]), (True, ["w_002", "w_003"]))
        ran = self.run_all(task, again, 2)
        self.assertEqual((ran[2], sorted(ran[3:5]), ran[5]), ("w_004", ["w_001", "w_005"], "y"))

    def test_instances_of_before_have_no_window(self):
        task = self.batch(5, 2, old=True)
        self.e.rerun(task, "b")
        self.assertEqual(len(of(self.e.settle(of(self.e.claim(), "assign")), "assign")), 5)
        self.run_all(task, self.at_work(task), 5)

    def test_an_instance_taken_out_while_it_waits_leaves_the_others_their_places(self):
        task = self.batch(4, 1)
        self.e.rerun(task, "b")
        self.e.act(task, "w_002", "skip")
        self.assertEqual(self.run_all(task, of(self.e.claim(), "assign"), 1), ["b", "w_001", "w_003", "w_004", "y"])
