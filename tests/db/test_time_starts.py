# SPDX-License-Identifier: MIT
"""Tasks that start later, and those that somebody starts before. Model: test_time."""
from engine import kinds, new_uuid, of
from test_time import ONE, TWO, TimeTest


class Starts(TimeTest):
    def test_nothing_of_it_is_dispatched_before(self):
        for single in (True, False):
            self.e.single = single
            task, rows = self.submit(TWO, run_at=self.e.at(60))
            self.assertEqual(kinds(rows), {"created": 1, "timer": 1})
            self.assertEqual(self.one(rows, "created").step_name, "waiting_for_dependencies")
            self.assertEqual(self.e.states(task), {"one": "pending", "two": "pending"})
            self.assertEqual(self.one(self.e.fire(), "next").due_at, self.one(rows, "timer").due_at)
            self.assertEqual((self.e.task(task).held, self.due(task)), (8, [self.one(rows, "timer").due_at]))
            self.assertEqual(kinds(self.e.sweep()), {}, "it is not stranded")
            self.e.pass_time(61)
            rows = self.e.fire()
            self.assertEqual([a.step_name for a in of(rows, "assign")], ["one"])
            self.assertEqual(kinds(rows), {"assign": 1, "done": 1})
            self.assertEqual((self.e.task(task).held, self.e.task(task).state, self.due(task)), (0, "steps_in_process", [None]))
            self.assertEqual(kinds(self.e.fire()), {}, "once")
            self.e.settle(of(self.e.settle(of(rows, "assign")), "assign"))
            self.assertEqual(self.e.task(task).state, "complete")

    def test_a_start_that_has_passed_is_now(self):
        task, rows = self.submit(ONE, run_at=self.e.at(-5))
        self.assertEqual(kinds(rows), {"created": 1, "assign": 1})
        self.assertEqual(self.e.task(task).held, 0)

    def test_without_credit_it_goes_into_the_queue(self):
        self.submit(ONE, run_at=self.e.at(60))
        self.e.pass_time(61)
        self.assertEqual(kinds(self.e.fire(credit={"shop": 0})), {"queued": 1, "done": 1})
        self.assertEqual(len(of(self.e.claim(), "assign")), 1)

    def test_credit_is_given_once_to_starts_and_retries_together(self):
        _, rows = self.submit(ONE)
        self.e.settle(of(rows, "assign"), success=False, delay_ms=0)
        self.submit(ONE, run_at=self.e.at(60))
        self.e.pass_time(61)
        self.assertEqual(kinds(self.e.fire(credit={"shop": 1})), {"assign": 1, "queued": 1, "done": 2})

    def test_cancelled_before(self):
        task, _ = self.submit(TWO, run_at=self.e.at(60))
        self.assertEqual([r.outcome for r in self.e.cancel(task)], ["cancelled"])
        self.assertEqual(self.e.task(task).message, "no longer wanted")
        self.e.pass_time(61)
        self.assertEqual(kinds(self.e.fire()), {})
        self.assertIsNone(self.one(self.e.fire(), "next").due_at)

    def test_paused_meanwhile_it_starts_when_it_is_resumed(self):
        task, _ = self.submit(ONE, run_at=self.e.at(60))
        self.e.hold(task)
        self.e.pass_time(61)
        self.assertEqual(kinds(self.e.fire()), {})
        self.assertEqual(self.e.task(task).held, 1)
        self.assertEqual(kinds(self.e.hold(task, on=False)), {"acted": 1, "queued": 1, "done": 1})

    def test_resumed_before_its_start_it_still_waits(self):
        task, _ = self.submit(ONE, run_at=self.e.at(60))
        self.e.hold(task)
        self.assertEqual(kinds(self.e.hold(task, on=False)), {"acted": 1})
        self.assertEqual(self.e.states(task), {"only": "pending"})
        self.e.pass_time(61)
        self.assertEqual(kinds(self.e.fire()), {"assign": 1, "done": 1})

    def test_somebody_starts_it_before(self):
        task, _ = self.submit(TWO, run_at=self.e.at(3600), timeout_s=60)
        self.assertIn(f"tasker task start {task} --reason", self.explain(task))
        rows = self.e.start_now(task)
        self.assertEqual(kinds(rows), {"acted": 1, "timer": 1, "queued": 1, "done": 1})
        started = self.e.task(task)
        self.assertEqual((started.held, self.due(task), self.one(rows, "timer").due_at), (0, [started.deadline], started.deadline))
        self.assertEqual(self.c.value("SELECT round(extract(epoch FROM t.deadline - t.started_at))::int FROM tasker.tasks t WHERE t.task_uuid = $1", task), 60,
                         "its timeout counts from then")
        self.assertEqual(self.c.query("SELECT metadata ->> 'actor' AS actor, metadata ->> 'reason' AS reason, metadata ->> 'action' AS action FROM tasker.task_transitions "
                                      "WHERE task_uuid = $1 AND metadata ->> 'action' = 'start'", task), [{"actor": "pat", "reason": "the file is there", "action": "start"}])
        self.assertEqual(kinds(self.e.start_now(task)), {"unchanged": 1})
        self.e.settle(of(self.e.settle(of(self.e.claim(), "assign")), "assign"))
        self.assertEqual((self.e.task(task).state, kinds(self.e.start_now(task)), kinds(self.e.start_now(new_uuid()))), ("complete", {"ended": 1}, {"unknown": 1}))
        self.e.pass_time(3601)
        self.assertEqual(kinds(self.e.fire()), {})

    def test_started_before_a_deadline_that_was_given_stays(self):
        task, _ = self.submit(ONE, run_at=self.e.at(3600), deadline=self.e.at(7200), timeout_s=100000)
        deadline = self.e.task(task).deadline
        self.e.start_now(task)
        self.assertEqual((self.e.task(task).deadline, self.due(task)), (deadline, [deadline]))

    def test_started_before_while_it_is_paused(self):
        task, _ = self.submit(ONE, run_at=self.e.at(3600))
        self.e.hold(task)
        self.assertEqual(kinds(self.e.start_now(task)), {"acted": 1})
        self.assertEqual((self.e.states(task), self.e.task(task).held), ({"only": "pending"}, 1))
        self.assertEqual(kinds(self.e.hold(task, on=False)), {"acted": 1, "queued": 1, "done": 1})

    def test_many_start_before(self):
        template = self.e.register(ONE)
        later = [r.task_uuid for r in of(self.e.create(template, n=3, run_at=self.e.at(3600)), "created")]
        self.e.create(template)
        self.assertEqual(kinds(self.e.bulk("start", dry=True, namespace="shop"))["matched"], 4)
        rows = self.e.bulk("start", namespace="shop")
        self.assertEqual(sorted(r.task_uuid for r in of(rows, "changed")), sorted(later))
        self.assertEqual(len(of(self.e.claim(), "assign")), 4)

    def test_explain_says_until_when(self):
        task, _ = self.submit(TWO, run_at=self.e.at(60))
        said = self.explain(task)
        self.assertIn("it starts at", said)
        self.assertIn("(run_at)", said)
        self.e.pass_time(61)
        self.e.fire()
        self.assertNotIn("it starts at", self.explain(task))

    def test_no_more_than_a_limit_and_than_so_many_steps_at_once(self):
        template = self.e.register({f"s{i}": [] for i in range(4000)}, name="wide")
        for _ in range(4):
            self.e.create(template, run_at=self.e.at(60))
        self.e.pass_time(61)
        self.assertEqual([of(self.e.fire({"shop": 0}), "queued")[0].idx for _ in range(2)], [12000, 4000])
        self.e.create(self.e.register(ONE), n=5, credit=0, run_at=self.e.at(60))
        self.e.pass_time(61)
        self.assertEqual([len(of(self.e.fire(limit=2), "assign")) for _ in range(4)], [2, 2, 1, 0])
