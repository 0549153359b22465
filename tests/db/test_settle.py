# SPDX-License-Identifier: MIT
"""A result is settled once, whoever sends it and however often; failures follow the step's rules."""
import uuid

from engine import CHAIN, DIAMOND, DbTest, kinds, of
from lib.pg import PgError

NOBODY = str(uuid.UUID(int=1))


class Once(DbTest):
    def test_the_same_result_again_is_already_stored(self):
        _, (a,) = self.start(CHAIN)
        self.assertEqual(kinds(self.e.settle([a])), {"settled": 1, "assign": 1})
        self.assertEqual(kinds(self.e.settle([a])), {"already": 1})
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.step_results"), 1)

    def test_twice_in_one_call_the_first_wins(self):
        task, (a,) = self.start(CHAIN)
        rows = self.e.settle([a, a, a])
        self.assertEqual(kinds(rows), {"settled": 1, "already": 2, "assign": 1})
        self.assertEqual(self.one(rows, "settled").idx, 1)
        self.assertEqual(self.e.task(task).open_steps, 3)

    def test_success_and_failure_of_one_attempt_in_one_call_settle_once(self):
        _, (a,) = self.start(CHAIN)
        self.assertEqual(kinds(self.e.settle([a, a], success=[False, True])), {"settled": 1, "already": 1, "assign": 1})

    def test_what_does_not_hold_is_stale(self):
        task, (a,) = self.start(CHAIN)
        for what, changed in {"attempt": {"attempt": [a.attempt + 1]}, "message": {"msg": [a.msg_id + 1]}, "no message": {"msg": [None]},
                              "step": {"step": [NOBODY]}, "task": {"task": [NOBODY]}}.items():
            with self.subTest(what):
                rows = self.e.settle([a], **changed)
                self.assertEqual(kinds(rows), {"stale": 1})
                self.assertEqual(rows[0].idx, 1)
        self.assertEqual(self.e.states(task)["one"], "in_progress")

    def test_a_result_for_another_task_does_not_settle(self):
        _, (a,) = self.start(CHAIN)
        other, _ = self.start(CHAIN)
        self.assertEqual(kinds(self.e.settle([a], task=[other])), {"stale": 1})

    def test_good_and_bad_in_one_call_keep_their_places(self):
        rows = self.e.create(self.e.register(CHAIN), n=4, credit=4)
        a, b, c, d = of(rows, "assign")
        self.e.settle([b])
        rows = self.e.settle([a, b, dict(c, attempt=9), d], success=[True, True, True, False])
        answers = of(rows, "settled", "already", "stale", "retry")
        self.assertEqual({r.idx: r.kind for r in answers}, {1: "settled", 2: "already", 3: "stale", 4: "retry"})
        self.assertEqual({r.idx: r.step_uuid for r in answers if r.step_uuid}[4], d.step_uuid)

    def test_a_document_that_is_not_json_changes_nothing(self):
        _, (a,) = self.start(CHAIN)
        with self.assertRaises(PgError) as caught:
            self.c.query("SELECT * FROM tasker.settle_steps($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)", [a.step_uuid],
                         [a.task_uuid], [1], [a.msg_id], [True], [False], [-1], ["{no"], ["w"], [3], [], [], 1000, None)
        self.assertEqual(caught.exception.sqlstate[:2], "22")
        self.assertEqual(kinds(self.e.settle([a])), {"settled": 1, "assign": 1})

    def test_no_results_are_no_work(self):
        self.assertEqual(self.e.settle([]), [])


class Failures(DbTest):
    def test_a_permanent_failure_blocks_the_task_and_stops_independent_branches(self):
        task, (start,) = self.start(DIAMOND)
        left, right = sorted(of(self.e.settle([start]), "assign"), key=lambda r: r.step_name)
        rows = self.e.settle([left], success=False, retryable=False)
        self.assertEqual(kinds(rows), {"failed": 1, "done": 1})
        self.assertEqual(self.one(rows, "done").step_name, "blocked_by_failures")
        self.assertEqual(kinds(self.e.settle([right])), {"settled": 1})  # what was in flight finishes
        self.assertEqual(self.e.states(task), {"start": "complete", "left": "error", "right": "complete", "end": "pending"})
        self.assertEqual(self.e.task(task).state, "blocked_by_failures")
        x = self.c.query("SELECT * FROM tasker.get_task_execution_context($1)", task)[0]
        self.assertEqual((x.execution_status, x.recommended_action, x.health_status), ("blocked_by_failures", "handle_failures", "blocked"))
        self.assertEqual(self.e.messages(), 0)

    def test_a_blocked_task_dispatches_nothing_new(self):
        graph = {"start": [], "bad": ["start"], "good": ["start"], "next": ["good"]}
        task, (start,) = self.start(graph)
        bad, good = sorted(of(self.e.settle([start]), "assign"), key=lambda r: r.step_name)
        self.assertEqual(kinds(self.e.settle([bad, good], success=[False, True], retryable=False)), {"failed": 1, "settled": 1, "done": 1})
        self.assertEqual(self.e.step(task, "next").unmet_parents, 0)
        self.assertEqual(self.e.states(task)["next"], "pending")
        self.assertEqual(self.e.sweep(), [])

    def test_failures_of_all_branches(self):
        task, (start,) = self.start(DIAMOND)
        rows = self.e.settle(of(self.e.settle([start]), "assign"), success=False, retryable=False)
        self.assertEqual(kinds(rows), {"failed": 2, "done": 1})
        self.assertEqual((self.e.task(task).failed_steps, self.e.task(task).open_steps), (2, 3))

    def test_a_step_that_is_not_retryable_fails_though_the_result_is(self):
        _, (a,) = self.start(CHAIN, one={"retryable": False, "max_attempts": 5})
        self.assertEqual(kinds(self.e.settle([a], success=False, retryable=True)), {"failed": 1, "done": 1})

    def test_the_stored_failure_is_the_audit_trail(self):
        _, (a,) = self.start(CHAIN)
        self.e.settle([a], success=False, retryable=False, result={"success": False, "error": {"message": "no stock"}})
        (row,) = self.c.query("SELECT * FROM tasker.step_results")
        self.assertEqual((row.attempt, row.success, row.worker_id, row.execution_time_ms), (1, False, "worker-1", 5))
        self.assertEqual(self.e.history(a.task_uuid, "one")[-1], ("in_progress", "error", 1, None))


class Decisions(DbTest):
    """A task ended by somebody's decision stays ended."""

    def decide(self, task, state):
        was = self.e.task(task).state
        return self.c.value("SELECT tasker.transition_task_state_atomic($1, $2, $3, NULL, $4)", task, was, state, {"by": "me"})

    def test_of_two_changes_the_second_is_refused(self):
        task, _ = self.start(CHAIN)
        ask = "SELECT tasker.transition_task_state_atomic($1, 'steps_in_process', 'evaluating_results', NULL)"
        self.assertEqual([self.c.value(ask, task), self.c.value(ask, task), self.c.value(ask, NOBODY)], [True, False, False])
        self.assertTrue(self.decide(task, "steps_in_process"))

    def test_results_after_the_end_are_kept_and_change_no_state(self):
        for state in ("error", "resolved_manually"):
            with self.subTest(state):
                task, (start,) = self.start(DIAMOND)
                left, right = of(self.e.settle([start]), "assign")
                self.assertTrue(self.decide(task, state))
                self.assertEqual(kinds(self.e.settle([left, right])), {"stale": 2})
                self.assertEqual(self.e.task(task).state, state)
                self.assertEqual(self.e.messages(), 0)

    def test_waiting_steps_do_not_start_after_the_end(self):
        task, (one,) = self.start(CHAIN)
        self.e.settle([one], success=False)
        queued, _ = self.start(CHAIN, credit=0)
        self.assertTrue(self.decide(task, "error"))
        self.assertTrue(self.decide(queued, "resolved_manually"))
        self.e.end_pauses()
        self.assertEqual(kinds(self.e.fire()), {})
        self.assertEqual(kinds(self.e.claim()), {})

    def test_a_failed_step_stays_failed_when_its_task_is_given_up(self):
        task, (one,) = self.start(CHAIN)
        self.e.settle([one], success=False, retryable=False)
        self.assertTrue(self.decide(task, "error"))
        self.assertEqual(self.e.states(task), {"one": "error", "two": "cancelled", "three": "cancelled", "four": "cancelled"})
