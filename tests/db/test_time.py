# SPDX-License-Identifier: MIT
"""What time does to tasks and steps: deadlines, handlers that take too long, steps that nobody takes. Starts that wait: test_time_starts.

Model: the clock is moved by pass_time(), which brings everything that was to come so much nearer; fire() is an orchestrator that looks."""
import threading

from engine import CHAIN, DIAMOND, DbTest, Engine, kinds, of

ONE = {"only": []}
TWO = {"one": [], "two": ["one"]}


class TimeTest(DbTest):
    def submit(self, graph, credit=10000, body=None, options=None, **times):
        """A task of a new template: (its uuid, rows)."""
        rows = self.e.create(self.e.register(graph, body=body, **(options or {})), credit=credit, **times)
        return self.one(rows, "created").task_uuid, rows

    def due(self, task):
        return self.c.column("SELECT due_at FROM tasker.open_tasks WHERE task_uuid = $1", task)

    def ended(self, task):
        """(state, message, the actor and reason of its last change)."""
        t = self.e.task(task)
        last = self.c.query("SELECT metadata ->> 'actor' AS actor, metadata ->> 'reason' AS reason FROM tasker.task_transitions WHERE task_uuid = $1 "
                            "ORDER BY at DESC LIMIT 1", task)[0]
        return t.state, t.message, last.actor, last.reason

    def explain(self, task, workers=0, credit=0):
        return self.c.value("SELECT tasker.explain_task($1, $2, $3, $4)", task, ["shop"], [workers], [credit])


class Deadlines(TimeTest):
    def test_a_task_that_is_not_complete_by_then_becomes_an_error(self):
        task, rows = self.submit(TWO, deadline=self.e.at(30))
        out = of(rows, "assign")
        self.assertEqual(self.due(task), [self.one(rows, "timer").due_at])
        self.assertEqual(kinds(self.e.fire()), {})
        self.e.pass_time(31)
        rows = self.e.fire()
        self.assertEqual(kinds(rows), {"timed_out": 1, "called_off": 1, "done": 1})
        self.assertEqual([(r.step_uuid, r.attempt) for r in of(rows, "called_off")], [(out[0].step_uuid, 1)])
        state, message, actor, reason = self.ended(task)
        self.assertEqual((state, actor), ("error", "timer"))
        self.assertIn("deadline", message)
        self.assertEqual(message, reason)
        self.assertEqual(self.e.states(task), {"one": "cancelled", "two": "cancelled"})
        self.assertEqual(kinds(self.e.settle(out)), {"stale": 1}, "a late result is refused")
        self.assertEqual((self.due(task), self.e.messages()), ([], 0))
        self.assertEqual(kinds(self.e.fire()), {})
        self.assertIn("It has ended: error (it was not complete by its deadline", self.explain(task))

    def test_or_is_cancelled(self):
        for body in ({"on_timeout": "cancel"}, {"lifecycle": {"auto_fail_on_timeout": False}}):
            task, _ = self.submit(TWO, deadline=self.e.at(30), body=body)
            self.e.pass_time(31)
            self.e.fire()
            self.assertEqual(self.ended(task)[0], "cancelled", body)

    def test_what_failed_stays_failed_in_an_error(self):
        task, rows = self.submit(DIAMOND, deadline=self.e.at(30))
        left, right = of(self.e.settle(of(rows, "assign")), "assign")
        self.e.settle([left], success=False, retryable=False)
        self.e.pass_time(31)
        self.assertEqual([r.step_uuid for r in of(self.e.fire(), "called_off")], [right.step_uuid])
        self.assertEqual(self.e.states(task), {"start": "complete", "left": "error", "right": "cancelled", "end": "cancelled"})

    def test_the_timeout_of_the_template_and_of_the_request(self):
        def left(task):
            return self.c.value("SELECT round(extract(epoch FROM t.deadline - greatest(t.created_at, t.run_at)))::int FROM tasker.tasks t WHERE t.task_uuid = $1", task)
        for single in (True, False):
            self.e.single = single
            for body, request, expected in (
                    ({}, {}, None), ({}, {"timeout_s": 7}, 7), ({"timeout_seconds": 20}, {}, 20), ({"timeout_seconds": 20}, {"timeout_s": 7}, 7),
                    ({"lifecycle": {"max_duration_minutes": 2}}, {}, 120), ({"timeout_seconds": 5, "lifecycle": {"max_duration_minutes": 2}}, {}, 5),
                    ({"timeout_seconds": 20}, {"run_at": self.e.at(1000)}, 20)):
                self.assertEqual(left(self.submit(ONE, body=body, **request)[0]), expected, (body, request))
            soon = self.e.at(3)
            task, _ = self.submit(ONE, deadline=soon, timeout_s=100)
            self.assertEqual(self.e.task(task).deadline, soon, "the earlier of both")

    def test_a_start_then_a_deadline(self):
        task, rows = self.submit(ONE, run_at=self.e.at(60), timeout_s=30)
        self.assertEqual(self.due(task), [self.e.task(task).run_at])
        self.e.pass_time(61)
        out = of(self.e.fire(), "assign")
        self.assertEqual(self.due(task), [self.e.task(task).deadline])
        self.assertIn("at the latest", self.explain(task))
        self.e.pass_time(30)
        self.assertEqual(kinds(self.e.fire()), {"timed_out": 1, "called_off": 1, "done": 1})
        self.assertEqual(kinds(self.e.settle(out)), {"stale": 1})

    def test_nobody_looked_until_both_had_passed_so_it_never_starts(self):
        task, _ = self.submit(ONE, run_at=self.e.at(60), timeout_s=30)
        self.e.pass_time(100)
        self.assertEqual(kinds(self.e.fire()), {"timed_out": 1, "done": 1})
        self.assertEqual(self.e.task(task).state, "error")
        self.assertEqual(self.e.step(task, "only").attempts, 0)

    def test_complete_in_time_leaves_nothing(self):
        task, rows = self.submit(ONE, timeout_s=30)
        self.e.settle(of(rows, "assign"))
        self.assertEqual((self.e.task(task).state, self.due(task)), ("complete", []))
        self.e.pass_time(31)
        self.assertEqual(kinds(self.e.fire()), {})

    def test_a_paused_or_blocked_task_ends_too(self):
        paused, _ = self.submit(TWO, timeout_s=30)
        self.e.hold(paused)
        blocked, rows = self.submit(TWO, timeout_s=30)
        self.e.settle(of(rows, "assign"), success=False, retryable=False)
        self.e.pass_time(31)
        self.e.fire()
        self.assertEqual({self.e.task(t).state for t in (paused, blocked)}, {"error"})

    def test_a_template_may_want_a_dead_letter_of_an_error(self):
        for lifecycle, entries in (({"auto_dlq_on_timeout": True}, 1), ({"auto_dlq_on_timeout": False}, 0), ({}, 0),
                                   ({"auto_dlq_on_timeout": True, "auto_fail_on_timeout": False}, 0)):
            task, rows = self.submit(TWO, timeout_s=30, body={"lifecycle": lifecycle})
            self.e.settle(of(rows, "assign"))
            self.e.pass_time(31)
            self.assertEqual([(r.task_uuid, r.step_name) for r in of(self.e.fire(), "dead_letter")], [(task, "staleness_timeout")] * entries, lifecycle)
            self.assertEqual(len(self.e.entries(task)), entries)
            self.e.tidy()
            for entry in self.e.entries(task):
                self.assertEqual((entry.dlq_reason, entry.original_state, entry.resolution_status), ("staleness_timeout", "steps_in_process", "pending"))
                self.assertEqual((entry.metadata["detection_method"], entry.metadata["deadline"]), ("deadline", self.c.value(
                    "SELECT tasker.time_text(deadline, 'zoned') FROM tasker.tasks WHERE task_uuid = $1", task)))
                self.assertEqual((entry.metadata["actor"], entry.metadata["reason"]), ("timer", self.e.task(task).message))
                self.assertEqual([(s["name"], s["state"]) for s in entry.task_snapshot["steps"]], [("two", "in_progress"), ("one", "complete")], "as it was")
                self.assertIn("its deadline had passed", self.explain(task))
                self.e.revive(entry.dlq_entry_uuid)
                self.assertEqual((self.due(task), self.e.states(task)), ([None], {"one": "complete", "two": "enqueued"}))

    def test_a_task_that_was_blocked_keeps_the_dead_letter_it_has(self):
        task, rows = self.submit(TWO, timeout_s=30, body={"lifecycle": {"auto_dlq_on_timeout": True}})
        self.e.settle(of(rows, "assign"), success=False, retryable=False)
        self.e.pass_time(31)
        self.assertEqual(kinds(self.e.fire()), {"timed_out": 1, "done": 1})
        self.e.tidy()
        self.assertEqual([(e.dlq_reason, e.resolution_status) for e in self.e.entries(task)], [("max_retries_exceeded", "pending")])

    def test_the_request_says_what_happens_then(self):
        for single in (True, False):
            self.e.single = single
            for request, template, state in ((None, None, "error"), ("cancel", None, "cancelled"), ("cancel", "error", "cancelled"), ("error", "cancel", "error"),
                                             (None, "cancel", "cancelled")):
                task, _ = self.submit(ONE, deadline=self.e.at(30), on_timeout=request, body={"on_timeout": template} if template else None)
                self.e.pass_time(31)
                self.e.fire()
                self.assertEqual(self.e.task(task).state, state, (request, template))

    def test_one_that_is_revived_has_its_deadline_behind_it(self):
        task, rows = self.submit(TWO, timeout_s=30)
        self.e.settle(of(rows, "assign"), success=False, retryable=False)
        self.e.pass_time(31)
        self.e.fire()
        self.e.act(task, "one", "reset_for_retry")
        self.assertEqual((self.e.task(task).message, self.due(task)), (None, [None]))
        self.e.settle(of(self.e.settle(of(self.e.claim(), "assign")), "assign"))
        self.assertEqual(self.e.task(task).state, "complete")

    def test_one_that_is_run_again_in_time_still_has_it(self):
        task, rows = self.submit(ONE, timeout_s=30)
        self.e.settle(of(rows, "assign"))
        self.e.rerun(task, "only")
        self.assertEqual(self.due(task), [self.e.task(task).deadline])
        self.e.pass_time(31)
        self.assertEqual(kinds(self.e.fire()), {"timed_out": 1, "done": 1})

    def test_whoever_opens_it_again_is_told_of_its_deadline(self):
        """Its timers may have slept since before there was one: without the row it would be seen with the slow look only."""
        def deadlines(rows):
            return [r.due_at for r in of(rows, "timer")]
        task, rows = self.submit(ONE, timeout_s=600)
        self.e.settle(of(rows, "assign"))
        self.assertEqual(deadlines(self.e.rerun(task, "only")), [self.e.task(task).deadline])
        for revive in (lambda: self.e.act(task, "one", "resolve_manually"), lambda: self.e.revive(self.e.entries(task)[0].dlq_entry_uuid),
                       lambda: self.e.bulk("skip", state="error", step="one", step_state="cancelled")):
            task, _ = self.submit(TWO, deadline=self.e.at(600))
            self.e.age(task, 60)
            self.e.detect()
            self.assertEqual(self.e.task(task).state, "error", "it stood still")
            self.assertEqual(deadlines(revive()), [self.e.task(task).deadline])
            self.assertEqual(deadlines(self.e.act(task, "two", "skip")), [], "of one that is open it is known")


class Handlers(TimeTest):
    """A worker says handler_timeout; what that means says the template."""

    def timed_out(self, on_timeout, **options):
        task, rows = self.submit(TWO, options={"one": {"on_timeout": on_timeout, "timeout_ms": 1000, **options}})
        out = of(rows, "assign")
        failure = {"success": False, "metadata": {"error_type": "handler_timeout"}, "error": {"message": "the handler did not return within 1000 ms"}}
        return task, out, self.e.settle(out, success=False, result=failure, delay_ms=0)

    def test_retry(self):
        for said in (None, "retry"):
            task, out, rows = self.timed_out(said)
            self.assertEqual(kinds(rows), {"retry": 1, "done": 1})
            again = of(self.e.fire(), "assign")
            self.assertEqual([(a.task_uuid, a.attempt) for a in again], [(task, 2)])
            self.assertEqual(kinds(self.e.settle(out)), {"already": 1}, "the first attempt comes late")

    def test_error(self):
        task, out, rows = self.timed_out("error")
        self.assertEqual(kinds(rows), {"failed": 1, "done": 1})
        self.assertEqual((self.e.states(task), self.e.task(task).state), ({"one": "error", "two": "pending"}, "blocked_by_failures"))
        self.assertEqual(kinds(self.e.settle(out)), {"already": 1})

    def test_cancel(self):
        task, out, rows = self.timed_out("cancel")
        self.assertEqual(kinds(rows), {"failed": 1, "done": 1})
        self.assertEqual(self.one(rows, "done").step_name, "cancelled")
        self.assertEqual(self.ended(task), ("cancelled", "step one has timed out", "timer", "step one has timed out"))
        self.assertEqual(self.e.states(task), {"one": "cancelled", "two": "cancelled"})
        self.assertEqual((kinds(self.e.settle(out)), self.e.messages()), ({"already": 1}, 0))

    def test_cancel_calls_off_what_runs_beside_it(self):
        task, rows = self.submit({"a": [], "b": [], "c": ["a", "b"]}, options={"a": {"on_timeout": "cancel"}})
        a, b = of(rows, "assign")
        rows = self.e.settle([a], success=False, result={"success": False, "metadata": {"error_type": "handler_timeout"}})
        self.assertEqual([(r.step_uuid, r.attempt) for r in of(rows, "called_off")], [(b.step_uuid, 1)])
        self.assertEqual(kinds(self.e.settle([b])), {"stale": 1})
        self.assertEqual(self.e.task(task).state, "cancelled")

    def test_other_failures_are_as_always(self):
        for failure in ({"success": False, "metadata": {"error_type": "Busy"}}, {"success": False, "error": {"message": "a handler_timeout\" \u0000 it says"}},
                        {"success": False, "metadata": "handler_timeout"}):
            task, rows = self.submit(ONE, options={"only": {"on_timeout": "cancel"}})
            self.assertEqual(kinds(self.e.settle(of(rows, "assign"), success=False, result=failure)), {"retry": 1, "done": 1}, failure)
            self.assertEqual(self.e.task(task).state, "waiting_for_retry")


class Queues(TimeTest):
    def timers(self):
        return self.c.value("SELECT count(*) FROM tasker.queue_timers")

    def queued(self, graph=None, **options):
        task, rows = self.submit(graph or TWO, credit=0, options={"*": {"queue_timeout_ms": 5000, **options}})
        return task, rows

    def test_a_step_nobody_takes_becomes_an_error(self):
        task, rows = self.queued()
        self.assertEqual(kinds(rows), {"created": 1, "queued": 1, "timer": 1})
        self.assertEqual(self.one(self.e.fire(), "next").due_at, self.one(rows, "timer").due_at)
        said = self.explain(task)
        self.assertIn("no worker of namespace shop is connected; given up at", said)
        self.assertIn("then: error", said)
        self.e.pass_time(6)
        rows = self.e.fire()
        self.assertEqual(kinds(rows), {"timed_out": 1, "failed": 1, "done": 1})
        self.assertEqual((self.e.states(task), self.e.task(task).state), ({"one": "error", "two": "pending"}, "blocked_by_failures"))
        step = self.e.step(task, "one")
        self.assertEqual((step.attempts, step.forgiven), (1, 1), "no attempt of its budget")
        self.assertEqual(self.e.history(task, "one")[0], ("pending", "enqueued", 0, None))
        self.assertEqual(self.e.history(task, "one")[1], ("enqueued", "in_progress", 1, "no worker took it within 5 s (queue_timeout_seconds)"))
        self.assertEqual((self.e.messages(), self.timers(), kinds(self.e.claim())), (0, 0, {}))
        self.assertIn("failed after 0 of 3 attempts: no worker took it within 5 s", self.explain(task))

    def test_or_ends_its_task(self):
        task, _ = self.queued(on_queue_timeout="cancel")
        self.assertIn("then: cancel", self.explain(task))
        self.e.pass_time(6)
        self.assertEqual(kinds(self.e.fire()), {"timed_out": 1, "failed": 1, "done": 1})
        self.assertEqual(self.ended(task), ("cancelled", "step one has timed out", "timer", "step one has timed out"))

    def test_or_is_tried_again(self):
        """Like a failure that may pass: a pause, the queue again, and an error after the last attempt."""
        task, _ = self.queued(on_queue_timeout="retry", max_attempts=2, backoff="linear", backoff_base_ms=20000)
        self.assertIn("then: retry", self.explain(task))
        self.e.pass_time(6)
        rows = self.e.fire()
        self.assertEqual(kinds(rows), {"timed_out": 1, "retry": 1, "done": 1})
        step = self.e.step(task, "one")
        self.assertEqual((step.state, step.attempts, step.forgiven, self.e.task(task).state), ("waiting_for_retry", 1, 0, "waiting_for_retry"))
        self.assertIn("attempt 1 of 2 failed: no worker took it within 5 s", self.explain(task))
        self.assertEqual((self.e.messages(), self.timers(), kinds(self.e.fire({}))), (0, 0, {}), "first the pause")
        self.assertEqual(self.one(self.e.fire({}), "next").due_at, self.one(rows, "retry").due_at)
        self.e.pass_time(30)
        self.assertEqual(kinds(self.e.fire({})), {"queued": 1, "timer": 1, "done": 1})
        self.assertEqual((self.e.messages(), self.timers()), (1, 1))
        self.e.pass_time(6)
        self.assertEqual(kinds(self.e.fire({})), {"timed_out": 1, "failed": 1, "done": 1}, "that was the last one")
        self.assertIn("failed after 2 of 2 attempts: no worker took it within 5 s", self.explain(task))
        self.assertEqual(self.c.column("SELECT (result #>> '{metadata,retryable}') || ' ' || (result #>> '{error,error_type}') FROM tasker.step_results WHERE task_uuid = $1 "
                                       "ORDER BY attempt", task), ["true queue_timeout"] * 2)

    def test_a_worker_that_comes_in_between_gets_it(self):
        task, _ = self.queued(on_queue_timeout="retry", max_attempts=2, backoff="none")
        self.e.pass_time(6)
        self.e.fire({})
        out = of(self.e.fire(), "assign")
        self.assertEqual([(a.attempt, a.retry_count) for a in out], [(2, 1)])
        self.e.settle(of(self.e.settle(out), "assign"))
        self.assertEqual(self.e.task(task).state, "complete")

    def test_a_step_without_a_second_attempt_has_one(self):
        task, _ = self.queued(on_queue_timeout="retry", max_attempts=0)
        self.e.pass_time(6)
        self.e.fire()
        self.assertIn("failed after 1 of 1 attempts", self.explain(task))

    def test_what_may_not_be_tried_again_is_not(self):
        task, _ = self.queued(on_queue_timeout="retry", retryable=False)
        self.e.pass_time(6)
        self.assertEqual(kinds(self.e.fire()), {"timed_out": 1, "failed": 1, "done": 1})

    def test_taken_in_time(self):
        task, _ = self.queued()
        out = of(self.e.claim(), "assign")
        self.assertEqual(self.timers(), 0)
        rows = self.e.settle(out, credit={"shop": 0})
        self.assertEqual(kinds(rows), {"settled": 1, "queued": 1, "timer": 1})
        self.assertEqual(self.timers(), 1)
        self.e.settle(of(self.e.claim(), "assign"))
        self.e.pass_time(6)
        self.assertEqual((kinds(self.e.fire()), self.e.task(task).state), ({}, "complete"))

    def test_given_to_a_worker_at_once_it_has_no_timer(self):
        self.submit(TWO, options={"*": {"queue_timeout_ms": 5000}})
        self.assertEqual(self.timers(), 0)

    def test_given_back_its_time_begins_anew(self):
        _, rows = self.submit(TWO, options={"*": {"queue_timeout_ms": 5000}})
        self.assertEqual(kinds(self.e.release(of(rows, "assign"), lost=True)), {"queued": 1, "timer": 1})
        self.e.pass_time(6)
        self.assertEqual(kinds(self.e.fire()), {"timed_out": 1, "failed": 1, "done": 1})

    def test_after_a_retry_and_after_a_reset_too(self):
        task, rows = self.submit(ONE, options={"*": {"queue_timeout_ms": 5000}})
        self.e.settle(of(rows, "assign"), success=False, delay_ms=0)
        self.assertEqual(kinds(self.e.fire({"shop": 0})), {"queued": 1, "timer": 1, "done": 1})
        self.e.pass_time(6)
        self.assertEqual(kinds(self.e.fire()), {"timed_out": 1, "failed": 1, "done": 1})
        self.e.act(task, "only", "reset_for_retry")
        self.assertEqual(self.timers(), 1)
        self.e.settle(of(self.e.claim(), "assign"))
        self.assertEqual((self.e.task(task).state, self.timers()), ("complete", 0))

    def test_whoever_takes_it_from_the_queue_takes_the_timer(self):
        for take in (self.e.cancel, self.e.hold, lambda task: self.e.act(task, "one", "skip"), lambda task: self.e.act(task, "one", "complete_manually", data={"result": 1})):
            task, _ = self.queued()
            take(task)
            self.assertEqual(self.c.column("SELECT s.name FROM tasker.queue_timers q JOIN tasker.workflow_steps s USING (workflow_step_uuid) "
                                           "WHERE s.state <> 'enqueued' OR s.name = 'one'"), [])

    def test_a_batch_goes_on_without_it(self):
        task, rows = self.queued({"one": [], "two": ["one"]})
        self.c.query("""UPDATE tasker.workflow_steps SET instance = 1, inputs = '{"batch_metadata":{"failure_strategy":"continue_on_failure"}}'
                         WHERE task_uuid = $1 AND name = 'one'""", task)
        self.e.pass_time(6)
        self.assertEqual(kinds(self.e.fire()), {"timed_out": 1, "settled": 1, "queued": 1, "timer": 1})
        self.assertEqual(self.e.states(task), {"one": "complete", "two": "enqueued"})


class AtOnce(TimeTest):
    """Several orchestrators, and results that come in the same moment."""
    ROUNDS = 30

    def together(self, *works):
        """Runs them side by side, each on a connection of its own, let go in the same moment; their answers."""
        gate, answers, errors = threading.Barrier(len(works)), [None] * len(works), []

        def run(i, work):
            engine = Engine(self.connect(), single=False)
            try:
                gate.wait(30)
                answers[i] = work(engine)
            except Exception as e:  # the test shows it
                errors.append(e)
        threads = [threading.Thread(target=run, args=(i, w)) for i, w in enumerate(works)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(errors, [])
        return answers

    def test_each_start_and_each_deadline_fires_once(self):
        template = self.e.register(CHAIN)
        self.e.create(template, n=100, run_at=self.e.at(60))
        self.e.create(template, n=100, credit=100, deadline=self.e.at(60))
        self.e.create(self.e.register(TWO, **{"*": {"queue_timeout_ms": 60000}}), n=100, credit=0)
        self.e.pass_time(61)
        fired = [r for rows in self.together(*[lambda e: e.fire(limit=200)] * 3) for r in rows]
        self.assertEqual(kinds(fired), {"assign": 100, "timed_out": 200, "called_off": 100, "failed": 100, "done": 300})

    def test_a_result_races_the_timeout(self):
        met = set()
        template = self.e.register(TWO)
        for _ in range(self.ROUNDS):
            rows = self.e.create(template, credit=1, deadline=self.e.at(60))
            out, task = of(rows, "assign"), self.one(rows, "created").task_uuid
            self.e.pass_time(61)
            settled, fired = self.together(lambda e, out=out: e.settle(out), lambda e: e.fire())
            first = settled[0].kind
            met.add(first)
            self.assertIn(first, ("settled", "stale"))
            self.assertEqual(len(of(fired, "timed_out")), 1, "it was not complete")
            self.assertEqual(len(of(fired, "called_off")), 1, "either the first step or the second")
            self.assertEqual(self.e.task(task).state, "error")
            self.assertEqual(self.e.states(task)["one"], "complete" if first == "settled" else "cancelled")
        self.assertEqual(kinds(self.e.fire()), {})

    def test_the_last_result_races_the_timeout(self):
        template = self.e.register(ONE)
        for _ in range(self.ROUNDS):
            rows = self.e.create(template, credit=1, deadline=self.e.at(60))
            out, task = of(rows, "assign"), self.one(rows, "created").task_uuid
            self.e.pass_time(61)
            settled, fired = self.together(lambda e, out=out: e.settle(out), lambda e: e.fire())
            won = settled[0].kind == "settled"
            self.assertEqual((self.e.task(task).state, len(of(fired, "timed_out"))), ("complete", 0) if won else ("error", 1))

    def test_a_worker_takes_a_step_while_it_is_given_up(self):
        template = self.e.register(ONE, **{"*": {"queue_timeout_ms": 60000}})
        for _ in range(self.ROUNDS):
            task = self.one(self.e.create(template, credit=0), "created").task_uuid
            self.e.pass_time(61)
            claimed, fired = self.together(lambda e: e.claim(), lambda e: e.fire())
            taken = len(of(claimed, "assign"))
            self.assertEqual(len(of(fired, "timed_out")), 1 - taken)
            self.assertEqual(self.e.states(task), {"only": "in_progress" if taken else "error"})

    def test_a_cancel_races_a_start(self):
        for _ in range(self.ROUNDS):
            task, _ = self.submit(TWO, run_at=self.e.at(60))
            self.e.pass_time(61)
            cancelled, fired = self.together(lambda e, task=task: e.cancel(task), lambda e: e.fire())
            self.assertEqual(cancelled[0].outcome, "cancelled")
            self.assertEqual(len(cancelled) - 1, len(of(fired, "assign")), "what was started is called off")
            self.assertEqual(self.e.states(task), {"one": "cancelled", "two": "cancelled"})


class Statements(DbTest):
    """A task that has nothing to do with time pays nothing for it."""

    def test_no_rows_and_no_wake_ups(self):
        rows = self.e.create(self.e.register(DIAMOND), n=3, credit=2)
        self.assertEqual(of(rows, "timer"), [])
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.open_tasks WHERE due_at IS NOT NULL"), 0)
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.queue_timers"), 0)
        self.assertIsNone(self.one(self.e.fire(), "next").due_at)
