# SPDX-License-Identifier: MIT
"""What people decide about steps: every action from every state, what follows from it, and two hands on one task at once."""
import json
import threading
import uuid

from engine import CHAIN, DIAMOND, DbTest, Engine, kinds, of

RESET, RESOLVE, COMPLETE, SKIP = "reset_for_retry", "resolve_manually", "complete_manually", "skip"
DATA = {"result": {"paid": True}, "metadata": {"ticket": 17}}
ONE = {"only": []}


class ManualTest(DbTest):
    def finish_all(self, task):
        """Workers do whatever can be done."""
        while out := of(self.e.claim(), "assign"):
            while out:
                out = of(self.e.settle(out), "assign")
        return self.e.task(task).state

    def blocked(self, graph=None, failing="left"):
        """A task that is blocked by one step: (its uuid, the last assignments)."""
        task, out = self.start(graph or DIAMOND)
        while out:
            bad = [a for a in out if a.step_name == failing]
            if bad:
                self.e.settle(bad, success=False, retryable=False)
            out = of(self.e.settle([a for a in out if a not in bad]), "assign") if len(out) > len(bad) else []
        self.assertEqual(self.e.task(task).state, "blocked_by_failures")
        return task

    def act(self, task, name, action, **more):
        return self.e.act(task, name, action, data=DATA if action == COMPLETE else None, **more)

    def race(self, first, second):
        """Rows of both: the first holds the task in an open transaction, the second wants it, waits, and sees what the first did."""
        mine, other, rows = Engine(self.connect()), Engine(self.connect()), []
        mine.c.script("BEGIN")
        one = first(mine)
        thread = threading.Thread(target=lambda: rows.extend(second(other)))
        thread.start()
        while not self.c.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"):
            self.assertTrue(thread.is_alive(), "it waits for the task")
        mine.c.script("COMMIT")
        thread.join()
        return one, rows


class Revival(ManualTest):
    def test_a_reset_step_runs_again_with_all_its_attempts(self):
        task, out = self.start(ONE, only={"backoff": "none", "max_attempts": 2})
        for _ in range(2):
            self.e.settle(out, success=False)
            out = of(self.e.fire(), "assign")
        self.assertEqual(self.e.task(task).state, "blocked_by_failures")
        self.assertEqual(kinds(self.act(task, "only", RESET)), {"acted": 1, "queued": 1, "done": 1})
        self.assertEqual((self.e.states(task), self.e.task(task).state), ({"only": "enqueued"}, "steps_in_process"))
        again, = of(self.e.claim(), "assign")
        self.assertEqual((again.attempt, again.retry_count), (3, 0), "the third hand-over is the first that counts")
        self.e.settle([again], success=False)
        again, = of(self.e.fire(), "assign")
        self.assertEqual(kinds(self.e.settle([again])), {"settled": 1, "done": 1})
        self.assertEqual(self.e.task(task).state, "complete")

    def test_what_was_held_back_runs_too(self):
        """right had succeeded before left was mended: end becomes ready through left alone; other branches went on waiting."""
        graph = {"start": [], "bad": ["start"], "good": ["start"], "after_good": ["good"], "end": ["bad", "after_good"]}
        task, (start,) = self.start(graph)
        bad, good = of(self.e.settle([start]), "assign")
        self.e.settle([bad], success=False, retryable=False)
        self.assertEqual(kinds(self.e.settle([good])), {"settled": 1}, "a blocked task gets nothing new")
        self.assertEqual(self.e.states(task)["after_good"], "pending")
        self.act(task, "bad", RESET)
        self.assertEqual({a.step_name for a in of(self.e.claim(), "assign")}, {"bad", "after_good"})

    def test_a_pause_that_was_dropped_is_there_again(self):
        task, (start,) = self.start(DIAMOND)
        left, right = of(self.e.settle([start]), "assign")
        self.e.settle([left], success=False, delay_ms=0)
        self.e.settle([right], success=False, retryable=False)
        self.e.fire()  # drops the timer
        rows = self.act(task, right.step_name, RESET)
        self.assertEqual(kinds(rows), {"acted": 1, "timer": 1, "queued": 1, "done": 1})
        self.assertIsNotNone(self.one(rows, "timer").due_at)
        self.assertEqual([a.step_name for a in of(self.e.fire(), "assign")], [left.step_name])
        self.assertEqual(self.finish_all(task), "steps_in_process", "left is still held")

    def test_a_second_failure_still_blocks(self):
        task, (start,) = self.start(DIAMOND)
        self.e.settle(of(self.e.settle([start]), "assign"), success=False, retryable=False)
        self.assertEqual(kinds(self.act(task, "left", RESET)), {"acted": 1})
        self.assertEqual((self.e.task(task).state, self.e.states(task)["left"]), ("blocked_by_failures", "pending"))
        self.assertEqual(kinds(self.act(task, "right", RESOLVE)), {"acted": 1, "queued": 1, "done": 1})
        self.assertEqual(self.finish_all(task), "complete")
        self.assertEqual(self.e.states(task)["right"], "resolved_manually")

    def test_resolving_satisfies_the_children(self):
        task = self.blocked()
        rows = self.act(task, "left", RESOLVE)
        self.assertEqual(kinds(rows), {"acted": 1, "queued": 1, "done": 1})
        end, = of(self.e.claim(), "assign")
        self.assertEqual((end.step_name, set(json.loads(end.dependency_results))), ("end", {"start", "right"}), "left has no result")
        self.e.settle([end])
        self.assertEqual(self.e.task(task).state, "complete")

    def test_completing_gives_the_children_a_result(self):
        task = self.blocked()
        self.act(task, "left", COMPLETE)
        end, = of(self.e.claim(), "assign")
        left = json.loads(end.dependency_results)["left"]
        self.assertEqual((left["success"], left["status"], left["result"], left["error"]), (True, "completed", {"paid": True}, None))
        self.assertEqual(left["metadata"]["custom"], {"ticket": 17, "manually_completed": True, "completed_by": "pat", "completion_reason": "seen to it"})
        self.assertEqual(left["metadata"]["execution_time_ms"], 0)
        self.assertEqual(self.c.column("SELECT success FROM tasker.step_results r JOIN tasker.workflow_steps s USING (workflow_step_uuid) "
                                       "WHERE s.task_uuid = $1 AND s.name = 'left' ORDER BY attempt", task), [False, True])

    def test_metadata_that_are_no_object_are_kept(self):
        task = self.blocked()
        self.e.act(task, "left", COMPLETE, data={"result": None, "metadata": [1]})
        custom = self.c.value("SELECT result::jsonb #> '{metadata,custom}' FROM tasker.step_results WHERE worker_id IS NULL AND success")
        self.assertEqual(json.loads(custom) if isinstance(custom, str) else custom,
                         {"operator_metadata": [1], "manually_completed": True, "completed_by": "pat", "completion_reason": "seen to it"})

    def test_the_last_step_resolved_ends_the_task(self):
        task = self.blocked(CHAIN, "four")
        self.assertEqual(self.one(self.act(task, "four", RESOLVE), "done").step_name, "complete")
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.open_tasks"), 0)

    def test_who_and_why_are_in_the_history(self):
        task = self.blocked()
        self.act(task, "left", RESET, actor="kim", reason="disk was full")
        row = self.c.query("SELECT from_state, to_state, actor, reason FROM tasker.workflow_step_transitions WHERE actor = 'kim'")
        self.assertEqual([tuple(r.values()) for r in row], [("error", "pending", "kim", "disk was full")])

    def test_a_task_in_error_is_opened_again(self):
        task, (start,) = self.start(DIAMOND)
        left, right = of(self.e.settle([start]), "assign")
        self.e.settle([left], success=False, retryable=False)
        self.assertTrue(self.c.value("SELECT tasker.transition_task_state_atomic($1, 'blocked_by_failures', 'error', NULL)", task))
        self.assertEqual(self.e.states(task), {"start": "complete", "left": "error", "right": "cancelled", "end": "cancelled"})
        self.assertEqual(kinds(self.act(task, "left", RESET)), {"acted": 1, "queued": 1, "done": 1})
        self.assertIsNone(self.e.task(task).completed_at)
        self.assertEqual(self.e.settle([right])[0].kind, "stale", "what was cancelled is not its any more")
        self.assertEqual(self.finish_all(task), "complete")

    def ended(self):
        """A task that stood still when its first step was done."""
        task, out = self.start(DIAMOND)
        self.e.settle(out)
        self.e.age(task, 60)
        self.e.detect()
        self.assertEqual((self.e.task(task).state, self.e.task(task).failed_steps), ("error", 0))
        return task

    def test_a_task_that_ended_without_a_failure_goes_on_where_it_stopped(self):
        """Any of the steps that its end has cancelled will do: they all are pending again, and nothing else is changed."""
        for step in ("left", "end"):
            task = self.ended()
            self.assertEqual(kinds(self.act(task, step, RESET, reason="it may")), {"acted": 1, "queued": 1, "done": 1})
            self.assertEqual(self.e.states(task), {"start": "complete", "left": "enqueued", "right": "enqueued", "end": "pending"})
            self.assertEqual(self.e.history(task, "end"), [("pending", "cancelled", 0, "stale: nothing of it moved for 60 minutes (at most 30)"), ("cancelled", "pending", 0, "it may")])
            self.assertEqual(kinds(self.act(task, step, RESET, reason="it may")), {"unchanged": 1})
            self.assertEqual((self.finish_all(task), self.e.task(task).generation), ("complete", 0))
            self.assertEqual((self.e.step(task, "start").attempts, self.e.step(task, "left").attempts), (1, 2), "what was done is not done again")

    def test_what_had_failed_too_is_still_there(self):
        task, (start,) = self.start(DIAMOND)
        left, right = of(self.e.settle([start]), "assign")
        self.e.settle([left], success=False, retryable=False)
        self.assertTrue(self.c.value("SELECT tasker.transition_task_state_atomic($1, 'blocked_by_failures', 'error', NULL)", task))
        self.assertEqual(self.act(task, "right", RESET)[0].kind, "acted")
        self.assertEqual((self.e.task(task).state, self.e.states(task)), ("blocked_by_failures", {"start": "complete", "left": "error", "right": "pending", "end": "pending"}))
        self.act(task, "left", RESET)
        self.assertEqual(self.finish_all(task), "complete")

    def test_a_step_of_a_cancelled_task_stays(self):
        task, _ = self.start(CHAIN)
        self.e.cancel(task)
        self.assertEqual(kinds(self.act(task, "two", RESET)), {"ended": 1})


class EveryState(ManualTest):
    def at(self, state):
        """A task whose step `two` is in that state: (task, the last assignment if there is one)."""
        credit = 0 if state == "enqueued" else 10000
        task, out = self.start(CHAIN)
        if state == "pending":
            return task, out[0]  # of one
        out = of(self.e.settle(out, credit={"shop": credit}), "assign")
        if state == "complete":
            self.e.settle(out)
        elif state == "waiting_for_retry":
            self.e.settle(out, success=False)
        elif state == "error":
            self.e.settle(out, success=False, retryable=False)
        self.assertEqual(self.e.step(task, "two").state, state)
        return task, out[0] if out else None

    def test_each_action_from_each_state(self):
        allowed = {RESET: {"error"}, SKIP: {"pending", "enqueued", "waiting_for_retry", "error"}}
        becomes = {RESET: "enqueued", RESOLVE: "resolved_manually", COMPLETE: "complete", SKIP: "resolved_manually"}
        states = ("pending", "enqueued", "in_progress", "waiting_for_retry", "error", "complete")
        for action in (RESET, RESOLVE, COMPLETE, SKIP):
            for state in states:
                with self.subTest(action=action, state=state):
                    task, held = self.at(state)
                    rows = self.act(task, "two", action)
                    if state not in allowed.get(action, states):
                        self.assertEqual((kinds(rows), rows[0].step_name), ({"refused": 1}, state))
                        self.assertEqual(self.e.step(task, "two").state, state)
                        continue
                    self.assertEqual(rows[0].kind, "acted")
                    self.assertEqual(self.e.step(task, "two").state, becomes[action])
                    self.assertEqual(len(of(rows, "called_off")), 1 if state == "in_progress" else 0)
                    if held and state == "in_progress":
                        self.assertEqual(self.e.settle([held])[0].kind, "stale")
                    self.assertEqual(self.c.query("SELECT * FROM tasker.check_consistency($1)", task), [])
                    if state == "pending":
                        self.e.settle([held])
                    if state == "complete":  # three is under way
                        self.e.end_lease(self.c.query("SELECT msg_id, 'shop' AS namespace FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'three'", task)[0])
                    self.assertEqual(self.finish_all(task), "complete")

    def test_twice_is_once(self):
        for action in (RESET, RESOLVE, COMPLETE, SKIP):
            with self.subTest(action):
                task = self.blocked(CHAIN, "two")
                self.assertEqual(self.act(task, "two", action)[0].kind, "acted")
                self.assertEqual(kinds(self.act(task, "two", action)), {"unchanged": 1})
                self.assertEqual(self.finish_all(task), "complete")
                self.assertEqual(kinds(self.act(task, "two", action)), {"unchanged": 1}, "also after its task has ended")
                if action in (RESET, COMPLETE):
                    self.assertEqual(kinds(self.act(task, "two", action, reason="another")), {"ended": 1})

    def test_an_ended_task_stays_ended(self):
        task, _ = self.start(CHAIN)
        self.e.cancel(task)
        for action in (RESET, RESOLVE, COMPLETE, SKIP):
            rows = self.act(task, "two", action)
            self.assertEqual((rows[0].kind, rows[0].step_name), ("ended", "cancelled"))

    def test_steps_that_are_not_its(self):
        task, _ = self.start(CHAIN)
        other, _ = self.start(CHAIN)
        step = self.e.step(other, "two").workflow_step_uuid
        ask = "SELECT kind FROM tasker.act_on_step($1, $2, 'resolve_manually', 'a', 'b', NULL, NULL)"
        self.assertEqual(self.c.column(ask, task, step), ["foreign"])
        self.assertEqual(self.c.column(ask, task, str(uuid.uuid4())), ["unknown"])
        self.assertEqual(self.c.column(ask, str(uuid.uuid4()), step), ["foreign"])


class TwoHands(ManualTest):
    """One connection holds the task in an open transaction, another one wants it: the second waits, then sees what the first did."""

    def running(self):
        task, out = self.start(CHAIN)
        return task, of(self.e.settle(out), "assign")

    def test_a_result_and_an_action(self):
        for action, loses in ((RESOLVE, "stale"), (COMPLETE, "stale")):
            task, held = self.running()
            acted, settled = self.race(lambda e: self.e_act(e, task, action), lambda e: e.settle(held))
            self.assertEqual((acted[0].kind, kinds(settled)), ("acted", {loses: 1}))
            self.assertEqual(self.finish_all(task), "complete")
            task, held = self.running()
            settled, acted = self.race(lambda e: e.settle(held), lambda e: self.e_act(e, task, action))
            self.assertEqual((settled[0].kind, acted[0].kind), ("settled", "acted"), "the state after the result is what it acts upon")
            for a in of(settled, "assign"):
                self.e.end_lease(a)
            self.assertEqual(self.finish_all(task), "complete")

    def e_act(self, engine, task, action):
        return engine.act(task, "two", action, data=DATA if action == COMPLETE else None)

    def test_a_cancel_and_an_action(self):
        for action in (RESET, RESOLVE, COMPLETE, SKIP):
            task = self.blocked(CHAIN, "two")
            _, acted = self.race(lambda e: e.cancel(task), lambda e: self.e_act(e, task, action))
            self.assertEqual((acted[0].kind, acted[0].step_name), ("ended", "cancelled"))
            task = self.blocked(CHAIN, "two")
            acted, cancelled = self.race(lambda e: self.e_act(e, task, action), lambda e: e.cancel(task))
            self.assertEqual((acted[0].kind, cancelled[0].outcome), ("acted", "cancelled"))
            self.assertEqual(self.e.messages(), 0)

    def test_the_same_action_from_two_sides(self):
        for action in (RESET, RESOLVE, COMPLETE, SKIP):
            task = self.blocked(CHAIN, "two")
            first, second = self.race(lambda e: self.e_act(e, task, action), lambda e: self.e_act(e, task, action))
            self.assertEqual((first[0].kind, kinds(second)), ("acted", {"unchanged": 1}))
            self.assertEqual(self.finish_all(task), "complete")

    def test_a_claim_and_an_action(self):
        task, out = self.start(CHAIN)
        self.e.settle(out, credit={"shop": 0})
        claimed, acted = self.race(lambda e: e.claim(), lambda e: self.e_act(e, task, RESOLVE))
        self.assertEqual((kinds(acted)["called_off"], self.one(claimed, "assign").step_name), (1, "two"))
        self.assertEqual(self.e.settle(of(claimed, "assign"))[0].kind, "stale")
        self.assertEqual(self.finish_all(task), "complete")
        task, out = self.start(CHAIN)
        self.e.settle(out, credit={"shop": 0})
        _, claimed = self.race(lambda e: self.e_act(e, task, RESOLVE), lambda e: e.claim())
        self.assertEqual(kinds(claimed), {"dropped": 1}, "its message was read before and leads nowhere now")
        self.assertEqual(self.finish_all(task), "complete")
