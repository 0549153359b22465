# SPDX-License-Identifier: MIT
"""Tasks that are held and go on, steps that run again."""
import json

from engine import CHAIN, DIAMOND, kinds, of
from test_manual import ManualTest

TWO = {"a": [], "b": ["a"]}


class Hold(ManualTest):
    def test_a_held_task_gets_nothing_new(self):
        task, out = self.start(CHAIN)
        self.assertEqual(kinds(self.e.hold(task)), {"acted": 1})
        self.assertEqual(kinds(self.e.settle(out)), {"settled": 1, "done": 1})
        self.assertEqual((self.e.states(task)["two"], self.e.task(task).state), ("pending", "waiting_for_dependencies"))
        self.assertEqual(kinds(self.e.claim()), {})
        self.assertEqual([r for r in self.e.sweep() if r.kind == "repaired"], [])
        self.assertEqual(kinds(self.e.hold(task)), {"unchanged": 1})
        self.assertEqual(kinds(self.e.hold(task, False)), {"acted": 1, "queued": 1, "done": 1})
        self.assertEqual(self.finish_all(task), "complete")
        self.assertEqual(kinds(self.e.hold(task)), {"ended": 1})

    def test_what_held_a_task_before_its_end_holds_it_no_more(self):
        task, out = self.start({"only": []})
        self.e.hold(task)
        self.e.settle(out)
        shown = self.c.value("SELECT body FROM tasker.task_responses(ARRAY[$1::uuid], false)", task)
        self.assertEqual((self.e.task(task).state, json.loads(shown)["held"]), ("complete", []))
        self.assertIn("It has ended: complete.", self.c.value("SELECT tasker.explain_task($1, '{}', '{}', '{}')", task))
        self.assertEqual(kinds(self.e.hold(task, False)), {"unchanged": 1})
        self.e.rerun(task, "only")
        self.assertEqual((self.e.task(task).held, self.finish_all(task)), (0, "complete"))

    def test_what_is_run_again_in_a_paused_namespace_waits_for_it(self):
        task, out = self.start({"only": []})
        self.e.settle(out)
        self.e.hold_group(True)
        self.e.rerun(task, "only")
        self.assertEqual((self.e.task(task).held, self.e.states(task)), (4, {"only": "pending"}))
        self.e.hold_group(False)
        self.assertEqual(self.finish_all(task), "complete")

    def test_what_lies_in_the_queue_is_taken_back(self):
        task, _ = self.start(DIAMOND)
        fresh = self.e.create(self.e.register(CHAIN))
        other = self.one(fresh, "created").task_uuid
        self.assertEqual(self.e.states(other)["one"], "enqueued")
        self.assertEqual(kinds(self.e.hold(other)), {"acted": 1, "done": 1})
        self.assertEqual((self.e.states(other)["one"], kinds(self.e.claim())), ("pending", {}))
        self.e.hold(other, False)
        self.assertEqual([a.step_name for a in of(self.e.claim(), "assign")], ["one"])

    def test_a_pause_before_a_retry_goes_on_later(self):
        task, out = self.start(CHAIN)
        self.e.settle(out, success=False, delay_ms=0)
        self.e.hold(task)
        self.assertEqual(kinds(self.e.fire()), {})
        self.assertEqual(kinds(self.e.hold(task, False)), {"acted": 1, "timer": 1})
        self.assertEqual([a.step_name for a in of(self.e.fire(), "assign")], ["one"])

    def test_every_reason_must_go(self):
        task, out = self.start(CHAIN)
        self.e.hold(task)
        self.e.hold_group(True)
        self.e.settle(out)
        self.e.hold_group(False)
        self.assertEqual((self.e.states(task)["two"], self.e.task(task).held), ("pending", 1))
        self.e.hold(task, False)
        self.assertEqual(self.finish_all(task), "complete")

    def test_a_blocked_task_stays_blocked_when_resumed(self):
        task = self.blocked()
        self.e.hold(task)
        self.e.hold(task, False)
        self.assertEqual(self.e.task(task).state, "blocked_by_failures")
        self.e.hold(task)
        self.e.act(task, "left", "reset_for_retry")
        self.assertEqual((self.e.states(task)["left"], self.e.task(task).state), ("pending", "waiting_for_dependencies"), "mended, but held")
        self.e.hold(task, False)
        self.assertEqual(self.finish_all(task), "complete")

    def test_a_namespace_in_pages_and_its_new_tasks(self):
        template, bank = self.e.register(TWO), self.e.register(TWO, namespace="bank")
        old = [r.task_uuid for r in of(self.e.create(template, n=7), "created")]
        there = self.one(self.e.create(bank), "created").task_uuid
        rows = self.e.hold_group(True, limit=3)
        self.assertEqual((len(of(rows, "group")), sum(r.idx for r in of(rows, "group")), kinds(rows)["acted"]), (3, 7, 7))
        created = self.one(self.e.create(template, credit=10), "created")
        self.assertEqual((created.attempt, created.step_no, created.step_name), (0, 2, "waiting_for_dependencies"))
        self.assertEqual(kinds(self.e.claim(namespaces=("shop",))), {})
        self.assertEqual(len(of(self.e.claim(namespaces=("bank",)), "assign")), 1)
        self.assertEqual([r.idx for r in of(self.e.hold_group(True), "group")], [0], "said again")
        self.assertEqual(sum(r.idx for r in of(self.e.hold_group(False), "group")), 8)
        self.assertEqual([self.finish_all(t) for t in [*old, created.task_uuid]], ["complete"] * 8)
        self.assertEqual(self.e.task(there).held, 0)
        self.assertEqual(kinds(self.e.hold_group(True, namespace="nobody")), {"unknown": 1})

    def test_a_template_or_one_version_of_it(self):
        one, two = (self.e.register(TWO, name="flow", version=v) for v in ("1.0.0", "2.0.0"))
        first, second = (self.one(self.e.create(t), "created").task_uuid for t in (one, two))
        self.e.hold_group(True, name="flow", version="2.0.0")
        self.assertEqual([self.e.task(t).held for t in (first, second)], [0, 2])
        self.assertEqual([self.one(self.e.create(t), "created").step_name for t in (one, two)], [None, "waiting_for_dependencies"])
        self.e.hold_group(True, name="flow")
        self.assertEqual(self.e.task(first).held, 2)
        self.e.hold_group(False, name="flow")
        self.assertEqual([self.finish_all(t) for t in (first, second)], ["complete"] * 2)
        self.assertEqual(kinds(self.e.hold_group(True, name="flow", version="9")), {"unknown": 1})

    def test_who_and_why(self):
        task, _ = self.start(CHAIN)
        self.e.hold(task)
        row, = self.c.query("SELECT from_state = to_state AS same, metadata FROM tasker.task_transitions WHERE metadata IS NOT NULL")
        said = row.metadata if isinstance(row.metadata, dict) else json.loads(row.metadata)
        self.assertEqual((row.same, said["action"], said["actor"], said["reason"]), (True, "pause", "pat", "wait a moment"))


class Rerun(ManualTest):
    def attempts(self, task):
        return {r.name: r.attempts for r in self.c.query("SELECT name, attempts FROM tasker.workflow_steps WHERE task_uuid = $1", task)}

    def test_a_step_and_all_below_it(self):
        task, _ = self.start(DIAMOND)
        self.e.end_lease(self.c.query("SELECT msg_id, 'shop' AS namespace FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'start'", task)[0])
        self.assertEqual(self.finish_all(task), "complete")
        before = self.attempts(task)
        rows = self.e.rerun(task, "left")
        self.assertEqual((kinds(rows), rows[0].idx), ({"acted": 1, "queued": 1, "done": 1}, 1))
        self.assertEqual(self.e.states(task), {"start": "complete", "left": "enqueued", "right": "complete", "end": "pending"})
        self.assertIsNone(self.e.task(task).completed_at)
        again, = of(self.e.claim(), "assign")
        self.assertEqual((again.step_name, again.retry_count, set(json.loads(again.dependency_results))), ("left", 0, {"start"}))
        end, = of(self.e.settle([again], result={"success": True, "result": "new"}), "assign")
        self.assertEqual(json.loads(end.dependency_results)["left"]["result"], "new")
        self.e.settle([end])
        self.assertEqual(self.e.task(task).state, "complete")
        self.assertEqual(self.attempts(task), {**before, "left": before["left"] + 1, "end": before["end"] + 1})
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.step_results r JOIN tasker.workflow_steps s USING (workflow_step_uuid) WHERE s.name = 'left'"), 2)

    def test_explain_says_who_runs_it_again(self):
        def again(task):
            return json.loads(self.c.value("SELECT tasker.explain_task($1, '{}', '{}', '{}')", task))["again"]
        task, _ = self.start(CHAIN, credit=0)
        self.assertIsNone(again(task))
        self.finish_all(task)
        self.e.rerun(task, "two", reason="the rate was wrong")
        self.assertEqual(again(task), "It runs again from two, generation 1: pat: the rate was wrong.")
        self.finish_all(task)
        self.assertIsNone(again(task), "it has ended")

    def test_results_of_an_earlier_generation_are_history(self):
        task, out = self.start(TWO)
        self.e.settle(of(self.e.settle(out), "assign"))
        self.e.rerun(task, "a")
        shown = self.c.column("SELECT s->>'results' FROM tasker.step_responses($1, NULL) s", task)
        self.assertEqual(shown, [None, None])

    def test_another_input(self):
        task, out = self.start(TWO)
        self.e.settle(of(self.e.settle(out), "assign"))
        self.e.rerun(task, "a", context='{"even_number": 8}')
        again, = of(self.e.claim(), "assign")
        self.assertEqual(json.loads(again.context), {"even_number": 8})
        row, = self.c.query("SELECT generation, actor, reason, context->>'even_number' AS n FROM tasker.task_generations")
        self.assertEqual(tuple(row.values()), (1, "pat", "once more", "6"))

    def test_a_failed_step_and_a_blocked_task(self):
        task = self.blocked()
        self.assertEqual(self.e.rerun(task, "start")[0].kind, "acted")
        self.assertEqual(set(self.e.states(task).values()), {"pending", "enqueued"})
        self.assertEqual(self.finish_all(task), "complete")

    def test_running_steps_below_are_called_off(self):
        task, (start,) = self.start(DIAMOND)
        below = of(self.e.settle([start]), "assign")
        self.assertEqual(kinds(self.e.rerun(task, "start"))["called_off"], 2)
        self.assertEqual(kinds(self.e.settle(below)), {"stale": 2})
        self.assertEqual(self.finish_all(task), "complete")

    def test_when_not(self):
        task, out = self.start(TWO)
        self.assertEqual((lambda r: (r.kind, r.step_name))(self.e.rerun(task, "a")[0]), ("refused", "in_progress"))
        self.e.settle(of(self.e.settle(out), "assign"))
        self.assertEqual(self.e.rerun(task, "a")[0].kind, "acted")
        self.assertEqual(self.e.rerun(task, "a")[0].kind, "unchanged", "asked again after a lost answer")
        self.assertEqual(self.e.rerun(task, "a", reason="else")[0].kind, "refused")
        self.e.cancel(task)
        self.assertEqual(self.e.rerun(task, "a")[0].kind, "ended")
