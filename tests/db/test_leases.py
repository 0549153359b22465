# SPDX-License-Identifier: MIT
"""Whose a step is: leases renewed, ended, given back or taken away, and results that come too late."""
import json

from engine import CHAIN, DIAMOND, DbTest, Engine, kinds, new_uuid, of

ONE = {"only": []}


class Release(DbTest):
    def counts(self, task):
        step = self.e.step(task, "only")
        return step.state, step.attempts, step.forgiven, step.losses

    def test_what_was_never_sent_costs_nothing(self):
        task, held = self.start(ONE, only={"max_attempts": 1, "retryable": False})
        for n in range(1, 16):
            rows = self.e.release(held, lost=False, losses_max=0)
            self.assertEqual(kinds(rows), {"queued": 1})
            self.assertEqual(self.one(rows, "queued").idx, 1)
            self.assertEqual(self.counts(task), ("enqueued", n, n, 0))
            held = of(self.e.claim(), "assign")
        self.assertEqual([(a.attempt, a.retry_count) for a in held], [(16, 0)])
        self.assertEqual(kinds(self.e.settle(held)), {"settled": 1, "done": 1})

    def test_what_was_given_back_costs_nothing(self):
        task, held = self.start(ONE, only={"max_attempts": 1, "retryable": False})
        self.assertEqual(kinds(self.e.release(held, lost=False, losses_max=0, given_back=True)), {"queued": 1})
        self.assertEqual(self.counts(task), ("enqueued", 1, 1, 0))
        self.assertEqual(self.e.history(task, "only")[-1], ("in_progress", "enqueued", 1, "given back"))
        self.assertEqual(kinds(self.e.release(held, lost=False, losses_max=0, given_back=True)), {"stale": 1})
        held = of(self.e.claim(), "assign")
        self.assertEqual([(a.attempt, a.retry_count) for a in held], [(2, 0)])
        self.assertEqual(kinds(self.e.settle(held)), {"settled": 1, "done": 1})

    def test_an_orchestrator_of_the_release_before_knows_no_giving_back(self):
        task, (a,) = self.start(ONE)
        rows = self.c.query("SELECT * FROM tasker.release_steps($1, $2, $3, $4, $5, $6, $7)", [a.step_uuid], [a.attempt], [a.msg_id], [a.namespace], [False], 5, new_uuid())
        self.assertEqual(kinds(rows), {"queued": 1})
        self.assertEqual(self.e.history(task, "only")[-1][-1], "never sent")

    def test_a_lost_worker_is_not_the_steps_fault(self):
        task, held = self.start(ONE, only={"max_attempts": 1})
        self.assertEqual(kinds(self.e.release(held, lost=True)), {"queued": 1})
        self.assertEqual(self.counts(task), ("enqueued", 1, 1, 1))
        self.assertEqual(self.e.history(task, "only")[-1], ("in_progress", "enqueued", 1, "worker lost"))
        held = of(self.e.claim(), "assign")
        self.assertEqual(kinds(self.e.settle(held, success=False)), {"failed": 1, "done": 1})

    def test_losses_are_bounded(self):
        task, held = self.start(ONE)
        for _ in range(3):
            self.assertEqual(kinds(self.e.release(held, lost=True, losses_max=3)), {"queued": 1})
            held = of(self.e.claim(), "assign")
        self.assertEqual(kinds(self.e.release(held, lost=True, losses_max=3)), {"failed": 1, "done": 1})
        self.assertEqual(self.counts(task), ("error", 4, 3, 4))
        self.assertEqual(self.e.task(task).state, "blocked_by_failures")
        stored = json.loads(self.c.value("SELECT result FROM tasker.step_results WHERE task_uuid = $1", task))
        self.assertEqual((stored["success"], stored["error"]["error_type"]), (False, "worker_lost"))
        self.assertIn("4 times", stored["error"]["message"])

    def test_a_step_that_must_not_run_twice_fails_with_its_worker(self):
        task, held = self.start(ONE, only={"retryable": False})
        self.assertEqual(kinds(self.e.release(held, lost=True)), {"failed": 1, "done": 1})
        self.assertEqual(self.counts(task), ("error", 1, 0, 1))
        self.assertEqual(kinds(self.e.settle(held)), {"already": 1})

    def test_only_what_still_holds_is_released(self):
        _, (a,) = self.start(ONE)
        for changed in ({"attempt": 2}, {"msg_id": a.msg_id + 1}, {"step_uuid": new_uuid()}):
            self.assertEqual(kinds(self.e.release([dict(a, **changed)], lost=True)), {"stale": 1})
        self.assertEqual(kinds(self.e.release([a], lost=True)), {"queued": 1})
        self.assertEqual(kinds(self.e.release([a], lost=True)), {"stale": 1})

    def test_a_late_result_after_a_release_is_stale(self):
        task, (first,) = self.start(ONE)
        self.e.release([first], lost=True)
        self.assertEqual(kinds(self.e.settle([first])), {"stale": 1})
        second = self.one(self.e.claim(), "assign")
        self.assertEqual((second.attempt, second.msg_id), (2, first.msg_id))
        self.assertEqual(kinds(self.e.settle([first, second])), {"stale": 1, "settled": 1, "done": 1})
        self.assertEqual(self.c.column("SELECT attempt FROM tasker.step_results"), [2])
        self.assertEqual(self.e.task(task).state, "complete")


class Leases(DbTest):
    def hidden(self, a):
        return not self.c.value("SELECT tasker._visible($1, $2)", a.namespace, a.msg_id)

    def test_a_held_step_is_not_handed_out_again_until_its_lease_ends(self):
        task, (a,) = self.start(ONE)
        self.assertTrue(self.hidden(a))
        self.assertEqual(self.e.claim(), [])
        self.e.end_lease(a)
        b = self.one(self.e.claim(), "assign")
        self.assertEqual((b.step_uuid, b.attempt, b.retry_count), (a.step_uuid, 2, 0))
        self.assertEqual(self.e.history(task, "only")[-1], ("in_progress", "in_progress", 2, "lease ended"))
        self.assertEqual(kinds(self.e.settle([a])), {"stale": 1})
        self.assertEqual(kinds(self.e.settle([b])), {"settled": 1, "done": 1})

    def test_ended_leases_are_losses_and_bounded(self):
        for retryable, losses_max, lives in ((True, 2, 3), (True, 0, 1), (False, 9, 1)):
            with self.subTest(retryable=retryable, losses_max=losses_max):
                _, held = self.start(ONE, only={"retryable": retryable, "max_attempts": 1})
                n = 0
                while held:
                    n += 1
                    self.e.end_lease(held[0])
                    rows = self.e.claim(losses_max=losses_max)
                    held = of(rows, "assign")
                self.assertEqual((n, kinds(rows)), (lives, {"failed": 1, "done": 1}))

    def test_renewing_hides_for_another_lease(self):
        _, (a,) = self.start(ONE)
        self.e.end_lease(a)
        self.assertFalse(self.hidden(a))
        self.assertEqual(self.e.renew([a]), [])
        self.assertTrue(self.hidden(a))
        self.assertEqual(self.e.claim(), [])
        self.assertEqual(self.e.renew([]), [])

    def test_renewing_never_waits(self):
        """It locks messages without their tasks: waiting for one could be waiting crosswise."""
        _, held = self.start({"a": [], "b": [], "c": []})
        for a in held:
            self.e.end_lease(a)
        other = Engine(self.connect())
        other.c.script("BEGIN")
        other.settle(held[:1])
        self.c.script("SET lock_timeout = '5s'")
        self.assertEqual(self.e.renew(held), [])
        self.assertEqual([self.hidden(a) for a in held], [False, True, True])
        other.c.script("COMMIT")
        self.assertEqual(self.e.renew(held), held[:1])

    def test_what_does_not_hold_any_more_is_told_and_left_alone(self):
        """Message and lease of a step that was released belong to whoever takes it next, though the message is the same one."""
        _, (a,) = self.start(ONE)
        wrong = [dict(a, step_uuid=new_uuid()), dict(a, attempt=2), dict(a, msg_id=a.msg_id + 1),
                 dict(a, step_uuid=new_uuid(), namespace="nobody"), dict(a, step_uuid=new_uuid(), namespace="'; --")]
        self.assertEqual(self.e.renew([*wrong, a]), wrong)
        self.e.release([a], lost=True)
        self.assertEqual(self.e.renew([a]), [a])
        self.assertFalse(self.hidden(a))
        b = self.one(self.e.claim(), "assign")
        self.assertEqual((b.msg_id, b.attempt), (a.msg_id, 2))
        self.e.end_lease(b)
        self.assertEqual(self.e.renew([a]), [a])
        self.assertFalse(self.hidden(b))
        self.assertEqual(self.e.renew([a, b]), [a])
        self.assertTrue(self.hidden(b))
        self.e.settle([b])
        self.assertEqual(self.e.renew([a, b]), [a, b])

    def test_a_message_that_leads_nowhere_is_dropped(self):
        task, (a,) = self.start(ONE)
        for message in ("{}", '{"step_uuid": null}', '{"step_uuid": "no uuid"}', "[1]", '"text"', "7",
                        '{"step_uuid": "------------------------------------"}',
                        json.dumps({"step_uuid": new_uuid()}), json.dumps({"step_uuid": a.step_uuid})):
            with self.subTest(message):
                self.c.query("SELECT pgmq.send('worker_shop_queue', $1::jsonb)", message)
                self.assertEqual(len(self.c.query("SELECT * FROM tasker.check_consistency($1)", None)), 1)
                self.assertEqual(kinds(self.e.claim()), {"dropped": 1})
                self.assertEqual(self.e.messages(), 1)
        self.assertEqual(self.e.states(task), {"only": "in_progress"})

    def test_more_is_said_when_the_queue_may_hold_more(self):
        self.e.create(self.e.register(ONE), n=5)
        self.assertEqual([r.namespace for r in of(self.e.claim(5), "more")], ["shop"])
        self.assertEqual(self.e.claim(5), [])
        self.assertEqual(self.e.claim(5, namespaces=("nowhere",)), [])
        self.assertEqual(self.e.claim(0), [])


class Cancel(DbTest):
    def test_running_waiting_and_queued_steps_end_with_their_task(self):
        graph = {"run": [], "wait": [], "later": ["run"], "done": []}
        task, held = self.start(graph)
        run, wait, done = (next(a for a in held if a.step_name == n) for n in ("run", "wait", "done"))
        self.e.settle([wait], success=False)
        self.e.settle([done])
        rows = self.e.cancel(task)
        self.assertEqual([(r.outcome, r.step_uuid, r.attempt) for r in rows],
                         [("cancelled", None, None), ("cancelled", run.step_uuid, 1)])
        self.assertEqual(self.e.states(task), {**dict.fromkeys(graph, "cancelled"), "done": "complete"})
        ended = self.e.task(task)
        self.assertEqual(ended.state, "cancelled")
        self.assertEqual((ended.open_steps, ended.active_steps, ended.retry_steps), (0, 0, 0))
        self.assertEqual((self.e.messages(), self.c.value("SELECT count(*) FROM tasker.step_timers")), (0, 0))
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.open_tasks"), 0)
        self.assertEqual(kinds(self.e.settle([run])), {"stale": 1})
        self.assertEqual([r.outcome for r in self.e.cancel(task)], ["terminal"])

    def test_the_decision_is_kept_with_its_reason(self):
        task, _ = self.start(DIAMOND, credit=0)
        self.e.cancel(task)
        (row,) = self.c.query("SELECT * FROM tasker.task_transitions WHERE to_state = 'cancelled'")
        self.assertEqual(row.from_state, "steps_in_process")
        self.assertEqual(json.loads(row.metadata), {"actor": "someone", "reason": "no longer wanted"})
        self.assertEqual(self.e.history(task, "start")[-1], ("enqueued", "cancelled", 0, "no longer wanted"))

    def test_a_blocked_task_can_be_cancelled_and_a_complete_one_not(self):
        task, held = self.start(ONE)
        self.e.settle(held, success=False, retryable=False)
        self.assertEqual([r.outcome for r in self.e.cancel(task)], ["cancelled"])
        task, held = self.start(CHAIN)
        while held:
            held = of(self.e.settle(held), "assign")
        self.assertEqual([r.outcome for r in self.e.cancel(task)], ["terminal"])
        self.assertEqual(self.e.task(task).state, "complete")
        self.assertEqual([r.outcome for r in self.e.cancel(new_uuid())], ["unknown"])
