# SPDX-License-Identifier: MIT
"""Tasks that stand still or are blocked: who is found, who is spared, what becomes of them, and how they are set going again."""
import json
import time

from engine import CHAIN, DIAMOND, PROCESSOR, Engine, kinds, new_uuid, of
from test_manual import ManualTest

ONE = {"only": []}
LIFECYCLE = "UPDATE tasker.templates SET body = body || jsonb_build_object('lifecycle', $2::jsonb) WHERE digest = $1"


class DeadLetterTest(ManualTest):
    def old(self, graph=CHAIN, credit=10000, minutes=0, lifecycle=None, **kwargs):
        """A task whose steps are where they are since `minutes`: (its uuid, its assignments)."""
        template = self.e.register(graph, **kwargs)
        if lifecycle:
            self.c.query(LIFECYCLE, template.digest, json.dumps(lifecycle))
        rows = self.e.create(template, credit=credit)
        task = self.one(rows, "created").task_uuid
        self.e.age(task, minutes)
        return task, of(rows, "assign")

    def found(self, **kwargs):
        """What one look finds and does: {task: the kinds of rows}."""
        found = {}
        for r in self.e.detect(**kwargs):
            if r.task_uuid and r.kind != "next":
                found.setdefault(r.task_uuid, []).append(r.kind)
        return found

    def document(self, sql, *args):
        return json.loads(self.c.value(sql, *args))

    def spared(self, task):
        return self.c.value("SELECT spared FROM tasker._staleness($1, $2, $3)", [task], [60, 30, 30, 0, 15], ["shop"])


class Found(DeadLetterTest):
    def test_a_step_that_hangs(self):
        task, (step,) = self.old(minutes=29)
        self.assertEqual(self.found(), {})
        self.e.age(task, 1)
        self.assertEqual(self.found(dry=True), {task: ["detected"]})
        self.assertEqual((self.e.entries(task), self.e.task(task).state), ([], "steps_in_process"))
        rows = self.e.detect()
        self.assertEqual(kinds(rows), {"page": 1, "detected": 1, "called_off": 1, "done": 1})
        seen, gone = self.one(rows, "detected"), self.one(rows, "called_off")
        self.assertEqual((seen.idx, seen.namespace, seen.step_name), (30, "shop", "steps_in_process"))
        self.assertEqual((gone.step_uuid, gone.attempt), (step.step_uuid, 1), "its worker is told")
        self.assertEqual((self.one(rows, "dead_letter").step_name, self.one(rows, "done").step_name), ("staleness_timeout", "error"))
        self.assertEqual(self.e.states(task), dict.fromkeys(CHAIN, "cancelled"))
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.open_tasks"), 0)
        self.assertEqual(self.e.settle([step])[0].kind, "stale")
        self.assertEqual(self.found(), {}, "once")
        history = self.c.query("SELECT from_state, metadata ->> 'reason' AS why FROM tasker.task_transitions WHERE task_uuid = $1 AND to_state = 'error'", task)
        self.assertEqual([(h.from_state, h.why) for h in history],
                         [("steps_in_process", "stale: nothing of it moved for 30 minutes (at most 30)")])
        self.assertEqual(self.e.task(task).message, history[0].why)

    def test_the_entry_tells_the_task_as_it_was(self):
        task, (one,) = self.old(minutes=0)
        two, = of(self.e.settle([one]), "assign")
        self.e.settle([two], success=False, result={"error": {"message": "bank is away"}}, delay_ms=0)
        self.e.end_pauses()
        self.e.fire()
        self.e.age(task, 45)
        self.found()
        entry, = self.e.entries(task)
        self.assertEqual((entry.original_state, entry.dlq_reason, entry.resolution_status), ("steps_in_process", "staleness_timeout", "pending"))
        self.assertEqual((entry.metadata["time_in_state_minutes"], entry.metadata["threshold_minutes"], entry.metadata["detected_by"]), (45, 30, PROCESSOR))
        shot = entry.task_snapshot
        self.assertEqual((shot["namespace"], shot["current_state"], shot["time_in_state_minutes"], shot["threshold_minutes"]), ("shop", "steps_in_process", 45, 30))
        self.assertLessEqual({"correlation_id", "priority", "requested_at", "created_at"}, set(shot["task_details"]))
        self.assertEqual([(s["name"], s["state"], s["attempts"], s["error"]) for s in shot["steps"]],
                         [("two", "in_progress", 2, "bank is away"), ("three", "pending", 0, None), ("four", "pending", 0, None), ("one", "complete", 1, None)])

    def test_thresholds_by_state_and_template(self):
        keys = {"waiting_for_dependencies": "max_waiting_for_dependencies_minutes", "waiting_for_retry": "max_waiting_for_retry_minutes",
                "steps_in_process": "max_steps_in_process_minutes"}
        for state, default in (("waiting_for_dependencies", 60), ("waiting_for_retry", 30), ("steps_in_process", 30)):
            for lifecycle, limit in ((None, default), ({keys[state]: 2}, 2), ({keys[state]: 500}, 500)):
                with self.subTest(state=state, limit=limit):
                    task, out = self.old(ONE, lifecycle=lifecycle)
                    if state == "waiting_for_retry":
                        self.e.settle(out, success=False, delay_ms=0)
                    elif state == "waiting_for_dependencies": # its step is neither dispatched nor held: nothing the engine does by itself
                        self.e.hold(task)
                        self.e.release(out, False)
                        self.c.query("UPDATE tasker.workflow_steps SET state = 'pending', msg_id = NULL WHERE task_uuid = $1", task)
                        self.c.query("UPDATE tasker.tasks SET held = 0, active_steps = 0, state = 'waiting_for_dependencies' WHERE task_uuid = $1", task)
                        self.c.query("DELETE FROM pgmq.q_worker_shop_queue WHERE message ->> 'task_uuid' = $1", task)
                    self.assertEqual(self.e.task(task).state, state)
                    self.e.age(task, limit - 1)
                    self.assertEqual(self.found(), {})
                    self.e.age(task, 1)
                    self.assertEqual(self.found()[task][:2], ["detected", "dead_letter"])
                    self.assertEqual(self.e.task(task).state, "error")

    def test_what_the_template_wants_done(self):
        for action, rows, entries, state in (("none", None, 0, "steps_in_process"), ("error", ["detected", "called_off", "done"], 0, "error"),
                                             ("dlq", ["detected", "dead_letter", "called_off", "done"], 1, "error")):
            task, _ = self.old(minutes=100, lifecycle={"staleness_action": action})
            self.assertEqual(self.found().get(task), rows, action)
            self.assertEqual((len(self.e.entries(task)), self.e.task(task).state), (entries, state))

    def test_what_the_configuration_wants_done(self):
        task, _ = self.old(minutes=100)
        self.assertEqual(self.found(move=False, fail=False), {task: ["detected"]})
        self.assertEqual(self.found(fail=False), {task: ["detected", "dead_letter"]})
        self.assertEqual(self.e.task(task).state, "steps_in_process")
        self.assertEqual(self.found(), {}, "it is under investigation")
        other, _ = self.old(minutes=100)
        self.assertEqual(self.found(move=False), {other: ["detected", "called_off", "done"]})
        self.assertEqual(self.e.entries(other), [])

    def test_a_lifetime_ends_what_moves_too(self):
        task, _ = self.old()
        for table in ("tasks", "open_tasks"):
            self.c.query(f"UPDATE tasker.{table} SET created_at = clock_timestamp() - interval '24 hours' WHERE task_uuid = $1", task)
        self.assertEqual(self.found(), {})
        self.assertEqual(self.found(limits=(60, 30, 30, 24 * 60, 15))[task][0], "detected")
        self.assertEqual(self.e.task(task).message, "stale: it was at work for more than 1440 minutes (staleness.lifetime)")
        said = self.document("SELECT tasker.explain_task($1, $2, $3, $4)", task, ["shop"], [1], [1])
        self.assertTrue(said["dead_letter"]["text"].endswith(": it was at work for longer than staleness.lifetime."), said["dead_letter"])
        self.e.revive(self.e.entries(task)[0].dlq_entry_uuid)
        self.assertEqual(self.found(limits=(60, 30, 30, 24 * 60, 15)), {}, "revived, it has its time again")
        self.finish_all(task)

    def test_a_page_and_a_number_at_most(self):
        tasks = sorted(self.old(minutes=100)[0] for _ in range(5))
        rows = self.e.detect(page=2, most=1)
        self.assertEqual((self.one(rows, "page").idx, self.one(rows, "next").task_uuid, self.one(rows, "detected").task_uuid), (2, tasks[1], tasks[0]))
        rows = self.e.detect(page=2, after=tasks[1])
        self.assertEqual([r.task_uuid for r in of(rows, "detected")], tasks[2:4])
        self.assertEqual(of(self.e.detect(page=2, after=tasks[3]), "next"), [], "the last page")


class Spared(DeadLetterTest):
    def test_what_is_held(self):
        task, _ = self.old()
        self.e.hold(task)
        self.e.age(task, 10000)
        self.assertEqual((self.found(limits=(60, 30, 30, 60, 15)), self.spared(task)), ({}, "it is held"))
        self.e.hold(task, False)
        self.assertEqual(self.found(), {}, "from now on")
        self.e.age(task, 60)
        self.assertIn(task, self.found())

    def test_a_start_to_come_and_then_it_counts_from_there(self):
        limits = (60, 30, 30, 60, 15)
        task = self.one(self.e.create(self.e.register(ONE), credit=1, run_at=self.e.at(60)), "created").task_uuid
        self.e.age(task, 10000)
        self.assertEqual((self.found(limits=limits), self.spared(task)), ({}, "it is held"))
        self.e.pass_time(61)
        self.e.fire()
        self.assertEqual((self.e.task(task).state, self.spared(task)), ("steps_in_process", None))
        self.assertEqual(self.found(limits=limits), {}, "neither its wait nor its age")
        self.e.age(task, 29)
        self.assertEqual(self.found(limits=limits), {})
        self.e.age(task, 1)
        self.assertEqual(self.found(limits=limits)[task][0], "detected")

    def test_a_lifetime_counts_from_the_start(self):
        limits = (1000, 1000, 1000, 60, 15)
        task = self.one(self.e.create(self.e.register(ONE), credit=1, run_at=self.e.at(60)), "created").task_uuid
        self.e.age(task, 10000)
        self.e.pass_time(61 + 90 * 60)
        self.e.fire()
        self.assertEqual(self.found(limits=limits), {}, "nobody was there to start it in time: it lives from when it was")
        self.e.pass_time(58 * 60)
        self.assertEqual(self.found(limits=limits), {})
        self.e.pass_time(120)
        self.assertEqual(self.found(limits=limits)[task][0], "detected")
        self.e.revive(self.e.entries(task)[0].dlq_entry_uuid)
        early = self.one(self.e.create(self.e.register(ONE), credit=1, run_at=self.e.at(7200)), "created").task_uuid
        self.e.start_now(early)
        self.e.age(early, 10000)
        self.c.query("UPDATE tasker.tasks SET started_at = started_at - interval '61 minutes' WHERE task_uuid = $1", early)
        self.assertEqual(self.found(limits=limits)[early][0], "detected", "somebody started it before its time")

    def test_what_is_blocked(self):
        task = self.blocked()
        self.e.age(task, 10000)
        self.assertEqual((self.found(limits=(60, 30, 30, 60, 15)), self.spared(task)), ({}, "it is blocked"))

    def test_a_pause_before_a_retry_until_it_is_over(self):
        task, out = self.old(ONE)
        self.e.settle(out, success=False, delay_ms=3600000)
        self.e.age(task, 89)
        self.assertEqual(self.found(), {}, "it was to wait an hour")
        self.e.age(task, 1)
        self.assertIn(task, self.found())

    def test_a_batch_that_leaves_checkpoints(self):
        task, (step,) = self.old(ONE, minutes=100, lifecycle={"max_steps_in_process_minutes": 2})
        point = ("SELECT tasker.checkpoint_step($1, $2, $3, $4, '7', 7, NULL, 32, 30000)", step.step_uuid, task, step.attempt, step.msg_id)
        self.c.value(*point)
        self.e.age(task, 14)
        self.assertEqual((self.found(limits=(60, 30, 30, 60, 15)), self.spared(task)), ({}, "it left a checkpoint lately"))
        self.e.age(task, 1)
        self.assertIn(task, self.found())

    def test_a_chain_that_moves(self):
        task, out = self.old()
        for _ in range(3):
            self.e.age(task, 29)
            self.assertEqual(self.found(), {})
            out = of(self.e.settle(out), "assign")
        self.e.age(task, 30)
        self.assertIn(task, self.found())

    def test_a_backlog_of_busy_workers(self):
        task, _ = self.old(credit=0, minutes=1000)
        self.assertEqual((self.found(served=["shop"]), self.spared(task)), ({}, "it waits for workers that are busy"))

    def test_what_waits_for_another_task(self):
        task, _ = self.old(minutes=1000)
        self.c.query("UPDATE tasker.workflow_steps SET state = 'enqueued_for_orchestration' WHERE task_uuid = $1 AND name = 'one'", task)
        self.c.query("UPDATE tasker.tasks SET active_steps = 0, state = 'waiting_for_dependencies' WHERE task_uuid = $1", task)
        self.assertEqual((self.found(), self.spared(task)), ({}, "it waits for another task"))
        self.c.query("UPDATE tasker.workflow_steps SET state = 'in_progress' WHERE task_uuid = $1 AND name = 'one'", task)
        self.c.query("UPDATE tasker.tasks SET active_steps = 1, state = 'steps_in_process' WHERE task_uuid = $1", task)

    def test_nobody_to_do_it_is_told_and_goes_on(self):
        task, _ = self.old(credit=0, minutes=30)
        self.assertEqual(self.found(served=["other"]), {task: ["detected", "dead_letter"]})
        self.assertEqual((self.e.entries(task)[0].dlq_reason, self.e.task(task).state), ("worker_unavailable", "steps_in_process"))
        self.assertEqual(kinds(self.e.tidy()), {"gone": 1, "page": 1})
        out = of(self.e.claim(), "assign")
        self.assertEqual(self.one(self.e.tidy(), "closed").step_name, "worker_unavailable")
        entry, = self.e.entries(task)
        self.assertEqual((entry.resolution_status, entry.resolved_by, entry.resolution_notes), ("manually_resolved", "tasker", "its task went on"))
        self.e.age(task, 30)
        self.assertEqual(self.found(served=["shop"])[task][0], "detected", "and is judged anew")
        self.assertEqual(len(out), 1)

    def test_what_somebody_works_on_right_now(self):
        task, _ = self.old(minutes=100)
        other = Engine(self.connect())
        other.c.script("BEGIN")
        other.task(task)
        other.c.query("SELECT 1 FROM tasker.tasks WHERE task_uuid = $1 FOR NO KEY UPDATE", task)
        self.assertEqual(self.found(), {})
        other.c.script("ROLLBACK")
        self.assertIn(task, self.found())


class Explained(DeadLetterTest):
    """What explain says of a task that stands still: before, spared, and after."""
    def explain(self, task, workers=1, acts=()):
        return self.document("SELECT tasker.explain_task($1, $2, $3, $4, $5)", task, ["shop"], [workers], [0], [60, 30, 30, 0, 15, *acts])

    def staleness(self, task, **kwargs):
        said = self.explain(task, **kwargs)["staleness"]
        return said and (said["health"], said["minutes"], said["threshold"], said["spared"], said["text"])

    def test_how_near_it_is(self):
        task, _ = self.old(minutes=23)
        self.assertEqual(self.staleness(task), ("healthy", 23, 30, None, None))
        self.e.age(task, 2)
        self.assertEqual(self.staleness(task), ("warning", 25, 30, None, "Nothing of it has moved for 25 minutes; from 30 on it is stale, then: dlq (staleness_action)."))
        task, _ = self.old(minutes=61, lifecycle={"max_steps_in_process_minutes": 60, "staleness_action": "error"})
        self.assertEqual(self.staleness(task), ("stale", 61, 60, None, "Nothing of it has moved for 61 minutes; from 60 on it is stale, then: error (staleness_action)."))
        self.assertIsNone(self.document("SELECT tasker.explain_task($1, $2, $3, $4)", task, ["shop"], [1], [0])["staleness"], "by limits nobody gave")
        for why, said in ((0, "then: error (staleness_action)"), (1, "but nothing is done about it: staleness.enabled is off"), (2, "but nothing is done about it: staleness.dry_run is on")):
            self.assertEqual(self.staleness(task, acts=[why])[4], f"Nothing of it has moved for 61 minutes; from 60 on it is stale, {said}.")
            self.assertEqual(self.explain(task, acts=[why])["staleness"]["acts"], why == 0)

    def test_why_it_is_spared(self):
        task, _ = self.old(minutes=100)
        self.e.hold(task)
        self.e.age(task, 100)
        self.assertEqual(self.staleness(task)[4], "Nothing of it has moved for 100 minutes; it is not stale, because it is held.")
        task, _ = self.old(credit=0, minutes=40)
        self.assertEqual(self.staleness(task)[3:], ("it waits for workers that are busy", "Nothing of it has moved for 40 minutes; it is not stale, because it waits for workers that are busy."))
        self.assertEqual(self.staleness(task, workers=0)[0], "stale")

    def test_what_sets_it_going_again(self):
        for action, advice in (("dlq", "Set it going again: tasker dlq revive"), ("error", "Set it going again where it stopped: tasker step reset {} two --reason ...")):
            task, out = self.old(minutes=0, lifecycle={"staleness_action": action})
            self.e.settle(out)
            self.e.age(task, 31)
            self.assertIn(task, self.found())
            said = self.explain(task)
            self.assertEqual((said["summary"], said["staleness"]), ("It has ended: error (stale: nothing of it moved for 31 minutes (at most 30)).", None))
            self.assertIn(advice.format(task), said["advice"])
        self.e.act(task, "two", "reset_for_retry")
        self.assertEqual((self.finish_all(task), self.e.step(task, "one").attempts), ("complete", 1), "what was done is not done again")
        self.assertIsNone(self.explain(task)["advice"])

    def test_what_had_failed_comes_first(self):
        rows = self.e.create(self.e.register(DIAMOND), credit=10000, deadline=self.e.at(60))
        task = self.one(rows, "created").task_uuid
        left, _ = of(self.e.settle(of(rows, "assign")), "assign")
        self.e.settle([left], success=False, retryable=False)
        self.e.pass_time(61)
        self.e.fire()
        self.c.query("DELETE FROM tasker.dead_letters")
        self.assertEqual(self.explain(task)["advice"], f"Set it going again where it stopped: tasker step reset {task} left --reason ...")
        self.e.act(task, "left", "reset_for_retry")
        self.assertEqual(self.finish_all(task), "complete")


class Blocked(DeadLetterTest):
    def test_a_task_that_blocks_has_an_entry_at_once(self):
        task = self.blocked()
        entry, = self.e.entries(task)
        self.assertEqual((entry.dlq_reason, entry.original_state, entry.resolution_status), ("max_retries_exceeded", "blocked_by_failures", "pending"))
        self.assertEqual(entry.task_snapshot["steps"][0]["state"], "error")

    def test_a_second_failure_makes_no_second_entry(self):
        task, (start,) = self.start(DIAMOND)
        rows = self.e.settle(of(self.e.settle([start]), "assign"), success=False, retryable=False)
        self.assertEqual(len(of(rows, "dead_letter")), 1)
        self.assertEqual(len(self.e.entries(task)), 1)

    def test_a_task_that_goes_on_by_other_means_closes_it(self):
        task = self.blocked()
        self.assertEqual(kinds(self.e.tidy()), {"gone": 1, "page": 1})
        self.act(task, "left", "reset_for_retry")
        self.assertEqual(kinds(self.e.tidy()), {"gone": 1, "page": 1, "closed": 1})
        self.e.settle(of(self.e.claim(), "assign"), success=False, retryable=False)
        first, second = self.e.entries(task)
        self.assertEqual((first.resolution_notes, second.resolution_status), ("its task went on", "pending"))
        self.e.cancel(task)
        self.e.tidy()
        self.assertEqual([(e.resolution_status, e.resolution_notes) for e in self.e.entries(task)][1], ("cancelled", "its task has ended: cancelled"))

    def test_what_a_person_entered_a_person_closes(self):
        task, out = self.start(ONE)
        add = "SELECT entry FROM tasker.add_dead_letter($1, 'kim', 'odd amounts')"
        entry = self.c.value(add, task)
        self.assertEqual(self.c.value(add, task), entry, "said twice")
        self.e.settle(out)
        self.assertEqual(kinds(self.e.tidy()), {"gone": 1, "page": 1})
        self.assertEqual((self.e.entries(task)[0].dlq_reason, self.e.entries(task)[0].metadata["actor"]), ("manual_dlq", "kim"))
        self.assertEqual(kinds(self.e.revive(entry)), {"ended": 1})
        self.assertEqual(self.c.query(add, new_uuid()), [])

    def test_closed_entries_go_after_their_time(self):
        task = self.blocked()
        entry = self.e.entries(task)[0].dlq_entry_uuid
        self.c.query("UPDATE tasker.dead_letters SET dlq_entry_uuid = $2 WHERE dlq_entry_uuid = $1", entry, old := new_uuid(time.time() - 2 * 86400))
        self.assertEqual(self.one(self.e.tidy(), "gone").idx, 0, "it is pending")
        self.c.value("SELECT tasker.update_dead_letter($1, 'permanently_failed', 'no way', 'kim', NULL)", old)
        self.assertEqual(self.one(self.e.tidy(), "gone").idx, 0, "closed just now")
        self.c.query("UPDATE tasker.dead_letters SET resolution_timestamp = clock_timestamp() - interval '25 hours'")
        self.assertEqual(self.one(self.e.tidy(), "gone").idx, 1)

    def test_tidying_goes_page_by_page(self):
        for _ in range(3):
            self.blocked()
        rows = self.e.tidy(page=2)
        after = self.one(rows, "next").task_uuid
        self.assertEqual(kinds(self.e.tidy(page=2, after=after)), {"page": 1})
        self.assertEqual(self.one(self.e.tidy(page=2, after=after), "page").idx, 1)


class Revived(DeadLetterTest):
    def entry(self, task):
        return self.e.entries(task)[-1].dlq_entry_uuid

    def test_a_stale_task(self):
        task, (one,) = self.old()
        self.e.settle([one])
        self.e.age(task, 100)
        self.found()
        rows = self.e.revive(self.entry(task))
        self.assertEqual(kinds(rows), {"acted": 1, "queued": 1, "done": 1})
        entry = self.e.entries(task)[0]
        self.assertEqual((entry.resolution_status, entry.resolution_notes, entry.resolved_by, entry.revived), ("manually_resolved", "mended", "pat", True))
        self.assertEqual(kinds(self.e.revive(entry.dlq_entry_uuid)), {"unchanged": 1})
        self.assertEqual(self.found(), {}, "its time begins anew")
        self.assertEqual(self.finish_all(task), "complete")
        self.assertEqual(self.e.step(task, "one").attempts, 1, "what was done is not done again")
        history = self.c.column("SELECT metadata ->> 'actor' FROM tasker.task_transitions WHERE task_uuid = $1 AND metadata ->> 'action' = 'revive'", task)
        self.assertEqual(history, ["pat"])

    def test_a_blocked_task_with_every_failed_step(self):
        task, (start,) = self.start(DIAMOND)
        self.e.settle(of(self.e.settle([start]), "assign"), success=False, retryable=False)
        rows = self.e.revive(self.entry(task))
        self.assertEqual(len(of(rows, "acted")), 1)
        self.assertEqual(self.e.states(task)["left"], "enqueued")
        self.assertEqual(self.finish_all(task), "complete")

    def test_failed_for_good_while_blocked(self):
        task = self.blocked()
        self.c.value("SELECT tasker.transition_task_state_atomic($1, 'blocked_by_failures', 'error', NULL)", task)
        self.e.revive(self.entry(task))
        self.assertEqual(len(self.e.entries(task)), 1, "opening it makes no other entry")
        self.assertEqual(self.finish_all(task), "complete")

    def test_a_held_task_waits(self):
        task = self.blocked()
        self.e.hold(task)
        self.e.revive(self.entry(task))
        self.assertEqual(self.e.task(task).active_steps, 0)
        self.e.hold(task, False)
        self.assertEqual(self.finish_all(task), "complete")

    def test_what_cannot_be_revived(self):
        task = self.blocked()
        entry = self.entry(task)
        self.c.value("SELECT tasker.update_dead_letter($1, 'permanently_failed', NULL, 'kim', NULL)", entry)
        refused = self.one(self.e.revive(entry), "refused")
        self.assertEqual(refused.step_name, "permanently_failed")
        self.c.value("SELECT tasker.update_dead_letter($1, 'pending', NULL, 'kim', NULL)", entry)
        self.e.cancel(task)
        self.assertEqual(self.one(self.e.revive(entry), "ended").step_name, "cancelled")
        self.assertEqual(kinds(self.e.revive(new_uuid())), {"unknown": 1})

    def test_one_that_goes_on_is_left_as_it_is(self):
        task, _ = self.old(credit=0, minutes=30)
        self.found()
        out = of(self.e.claim(), "assign")
        self.assertEqual(kinds(self.e.revive(self.entry(task))), {"acted": 1})
        while out:
            out = of(self.e.settle(out), "assign")
        self.assertEqual(self.e.task(task).state, "complete")

    def test_many(self):
        tasks = [self.blocked() for _ in range(3)]
        stale, _ = self.old(minutes=100)
        self.found()
        rows = self.e.bulk_letters(dry=True, why="max_retries_exceeded")
        self.assertEqual(kinds(rows), {"page": 1, "matched": 3})
        rows = self.e.bulk_letters(limit=2, why="max_retries_exceeded")
        self.assertEqual(len(of(rows, "changed")), 2)
        rows += self.e.bulk_letters(why="max_retries_exceeded", after=self.one(rows, "next").task_uuid)
        self.assertEqual({r.task_uuid for r in of(rows, "changed")}, set(tasks))
        self.assertEqual(self.e.task(stale).state, "error")
        for name in ("nobody", None):
            rows = self.e.bulk_letters("resolve", namespace="shop", name=name)
            self.assertEqual(len(of(rows, "changed")), 0 if name else 1)
        self.assertEqual((self.e.task(stale).state, self.e.entries(stale)[0].resolution_status), ("error", "manually_resolved"))


class Written(DeadLetterTest):
    def test_what_people_write_down(self):
        task = self.blocked()
        entry = self.e.entries(task)[0].dlq_entry_uuid
        update = "SELECT outcome FROM tasker.update_dead_letter($1, $2, $3, $4, $5)"
        self.assertEqual(self.c.value(update, entry, None, "asked the bank", "kim", '{"ticket": 7}'), "updated")
        got = self.e.entries(task)[0]
        self.assertEqual((got.resolution_status, got.resolution_notes, got.resolved_by, got.resolution_timestamp), ("pending", "asked the bank", "kim", None))
        self.assertEqual((got.metadata["ticket"], got.metadata["detection_method"]), (7, "blocked_by_failures"))
        self.assertEqual(self.c.value(update, entry, "permanently_failed", None, None, "7"), "updated")
        got = self.e.entries(task)[0]
        self.assertEqual((got.resolution_status, got.resolution_notes, got.metadata), ("permanently_failed", "asked the bank", 7))
        self.assertIsNotNone(got.resolution_timestamp)
        self.assertEqual(self.e.task(task).state, "blocked_by_failures", "writing down does not touch the task")
        self.assertEqual(self.c.value(update, new_uuid(), None, "x", None, None), "unknown")
        self.c.value("SELECT tasker.add_dead_letter($1, 'kim', 'again')", task)
        self.assertEqual(self.c.value(update, entry, "pending", None, None, None), "pending", "there can be one only")

    def test_the_queue_has_the_most_urgent_first(self):
        blocked = self.blocked()
        stale, _ = self.old(minutes=100)
        self.found()
        alone, _ = self.old(credit=0, minutes=100)
        self.found()
        hand, _ = self.start(ONE)
        self.c.value("SELECT tasker.add_dead_letter($1, 'kim', 'odd')", hand)
        queue = self.document("SELECT tasker.investigation_queue(10, NULL, NULL, NULL)")
        self.assertEqual([q["task_uuid"] for q in queue], [blocked, stale, alone, hand])
        self.assertEqual([round(q["priority_score"]) for q in queue], [500, 100, 50, 10])
        self.e.age(hand, 1000)
        self.assertEqual([q["task_uuid"] for q in self.document("SELECT tasker.investigation_queue(2, NULL, NULL, NULL)")], [hand, blocked], "time counts")
        stats = {s["dlq_reason"]: (s["total_entries"], s["pending"]) for s in self.document("SELECT tasker.dead_letter_stats()")}
        self.assertEqual(stats, {"MaxRetriesExceeded": (1, 1), "StalenessTimeout": (1, 1), "WorkerUnavailable": (1, 1), "ManualDlq": (1, 1)})

    def test_the_report_judges_like_the_search(self):
        tasks = {health: self.old(minutes=m)[0] for health, m in (("healthy", 23), ("warning", 24), ("stale", 30))}
        report = self.document("SELECT tasker.staleness_report($1, $2, 10)", [60, 30, 30, 0, 15], ["shop"])
        self.assertEqual([(r["task_uuid"], r["health_status"]) for r in report], [(tasks[h], h) for h in ("stale", "warning", "healthy")])
        self.assertEqual(set(self.found()), {tasks["stale"]})
