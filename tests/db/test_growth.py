# SPDX-License-Identifier: MIT
"""Graphs that grow: the SQL half. What a plan asks for is made once, under the task's lock, whoever else is about."""
import json
import threading
import time

from engine import DbTest, kinds, new_uuid, of
from lib.pg import PgError

# start → d (decision) → a, b → z (convergence); p (analyzer) → w (worker) → y (convergence)
GRAPH = {"start": [], "d": ["start"], "a": ["d"], "b": ["d"], "z": ["a", "b"], "p": ["start"], "w": ["p"], "y": ["w"]}
LATER = {"at_start": False}
OPTIONS = {"d": {"step_type": "decision"}, "p": {"step_type": "batchable"}, "a": LATER, "b": LATER, "z": {**LATER, "step_type": "deferred_convergence"},
           "w": {**LATER, "step_type": "batch_worker", "max_attempts": 2}, "y": {**LATER, "step_type": "deferred_convergence"}}
NO = {name: no for no, name in enumerate(GRAPH)}
BRANCH = (["a", "z"], [("d", "a"), ("a", "z")])


def held(a):
    return [a.step_uuid], [a.task_uuid], [a.attempt], [a.msg_id]


class GrowthTest(DbTest):
    def begin(self, credit=10000):
        """A task whose decision and analyzer are at work: (task, their assignments)."""
        rows = self.e.create(self.e.register(GRAPH, **OPTIONS), credit=credit, steps_n=3)
        task = self.one(rows, "created").task_uuid
        out = of(self.e.settle(of(rows, "assign")), "assign")
        self.assertEqual([a.step_name for a in out], ["d", "p"])
        return task, *out

    def look(self, a, conn=None):
        return (conn or self.c).query("SELECT * FROM tasker.growth_begin($1, $2, $3, $4)", *held(a))

    def grow(self, task, steps, edges, conn=None):
        """steps: names, or (name, instance, inputs, held)."""
        rows = [s if isinstance(s, tuple) else (s, 0, None, False) for s in steps]
        names = [f"{n}_{i:03}" if i else n for n, i, _, _ in rows]
        (conn or self.c).query("SELECT tasker.grow_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", [task] * len(rows), [new_uuid() for _ in rows],
                               [NO[r[0]] for r in rows], [r[1] for r in rows], names, [None if r[2] is None else json.dumps(r[2]) for r in rows],
                               [r[3] for r in rows], [task] * len(edges), [NO[f] for f, _ in edges], [NO[t] for _, t in edges])

    def expand(self, a, steps, edges, **settle):
        """As an orchestrator does: one transaction."""
        self.c.script("BEGIN")
        found = self.look(a)
        if found:
            self.grow(a.task_uuid, steps, edges)
        rows = self.e.settle([a], **settle)
        self.c.script("COMMIT")
        return rows

    def batches(self, n, window, strategy="fail_fast"):
        inputs = {"batch_metadata": {"failure_strategy": strategy}, "__window": window}
        return [*[("w", i, {"cursor": {"batch_id": f"{i:03}"}, **inputs}, i > window) for i in range(1, n + 1)], "y"], [("p", "w"), ("w", "y")]

    def names(self, rows):
        return sorted(a.step_name for a in of(rows, "assign"))


class Growth(GrowthTest):
    # -- steps and edges --

    def test_ten_thousand_where_statistics_know_of_ten(self):
        """An orchestrator died while it made them, and PostgreSQL has looked at the tables since. Pair by pair it would be half a minute, and given up."""
        task, _, _ = self.begin()
        steps, edges = self.batches(10000, 10)
        took = []
        for _ in range(2):
            self.c.script("BEGIN")
            began = time.monotonic()
            self.grow(task, steps, edges)
            took.append(time.monotonic() - began)
            self.assertEqual(self.c.value("SELECT total_steps FROM tasker.tasks WHERE task_uuid = $1", task), 3 + 10001)
            self.c.script("ROLLBACK")
            for table in ("workflow_steps", "workflow_step_edges"):
                self.c.script(f"VACUUM (ANALYZE) tasker.{table}")
        self.assertLess(took[1], 5 * took[0] + 1, "beside what it took at first, however slow the machine is")

    def test_a_branch_is_made_and_runs(self):
        task, d, p = self.begin()
        seen = {r.step_no: r.open for r in self.look(d)}
        self.assertEqual(seen, {NO["start"]: False, NO["d"]: True, NO["p"]: True})
        rows = self.expand(d, *BRANCH)
        self.assertEqual(self.names(rows), ["a"])
        self.assertEqual((self.e.task(task).total_steps, self.e.task(task).open_steps), (5, 3))
        rows = self.e.settle([p, *of(rows, "assign")])
        self.assertEqual(self.names(rows), ["z"])
        self.assertEqual(self.one(self.e.settle(of(rows, "assign")), "done").step_name, "complete")

    def test_the_same_outcome_twice_makes_it_once(self):
        task, d, _ = self.begin()
        self.expand(d, *BRANCH)
        rows = self.expand(d, *BRANCH)
        self.assertEqual(kinds(rows), {"already": 1})
        self.assertEqual(self.e.task(task).total_steps, 5)

    def test_a_late_outcome_of_a_lost_attempt_makes_nothing(self):
        task, d, _ = self.begin()
        self.e.release([d], lost=True)
        self.assertEqual(kinds(self.expand(d, *BRANCH)), {"stale": 1})
        self.assertEqual(self.e.task(task).total_steps, 3)
        again = [a for a in of(self.e.claim(), "assign") if a.step_name == "d"]
        self.assertEqual(self.names(self.expand(again[0], *BRANCH)), ["a"])

    def test_a_crash_between_growing_and_settling_leaves_nothing(self):
        task, d, _ = self.begin()
        other = self.connect()
        other.script("BEGIN")
        self.assertTrue(self.look(d, other))
        self.grow(task, *BRANCH, conn=other)
        other.close()
        self.assertEqual(self.names(self.expand(d, *BRANCH)), ["a"])

    def test_an_edge_twice_and_one_to_a_step_that_has_begun_change_nothing(self):
        task, d, p = self.begin()
        self.expand(d, *BRANCH)
        self.c.script("BEGIN")
        self.look(p)
        self.grow(task, [], [("a", "z"), ("p", "a"), ("p", "z")])  # a is at work; z waits and gets a hold
        self.c.script("COMMIT")
        self.assertEqual((self.e.step(task, "z").unmet_parents, self.e.step(task, "a").unmet_parents), (2, 0))

    def test_steps_of_a_blocked_task_are_made_and_not_started(self):
        task, d, p = self.begin()
        self.e.settle([p], success=False, retryable=False)
        rows = self.expand(d, *BRANCH)
        self.assertEqual(self.names(rows), [])
        self.assertEqual((self.e.step(task, "a").state, self.e.task(task).state), ("pending", "blocked_by_failures"))

    # -- batches --

    def test_instances_keep_to_their_window(self):
        task, d, p = self.begin()
        self.e.settle([d])
        out = sorted(of(self.expand(p, *self.batches(10, 3)), "assign"), key=lambda a: a.step_name)
        self.assertEqual(self.names(out), ["w_001", "w_002", "w_003"])
        self.assertEqual(json.loads(out[0].step_inputs)["cursor"], {"batch_id": "001"})
        self.assertEqual((json.loads(out[0].dependency_results), self.e.step(task, "y").unmet_parents), ({"p": {"success": True, "result": "p"}, "start": {"success": True, "result": "start"}}, 10))
        done = 0
        while out:
            self.assertLessEqual(len(out), 3)
            take = 1 + done % 2
            rows = self.e.settle(out[:take])
            done += take if len(out) >= take else len(out)
            out = out[take:] + of(rows, "assign")
            self.assertEqual(self.c.query("SELECT * FROM tasker.check_consistency($1)", task), [])
            if [a.step_name for a in out] == ["y"]:
                break
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.workflow_steps WHERE no_room"), 0)
        self.assertEqual(self.one(self.e.settle(out), "done").step_name, "complete")

    def test_a_pause_before_a_retry_keeps_its_place(self):
        _, d, p = self.begin()
        self.e.settle([d])
        out = of(self.expand(p, *self.batches(3, 1)), "assign")
        rows = self.e.settle(out, success=False)
        self.assertEqual((self.names(rows), kinds(rows).get("retry")), ([], 1))
        self.e.end_pauses()
        again = of(self.e.fire(), "assign")
        self.assertEqual(self.names(again), ["w_001"])
        self.assertEqual(self.names(self.e.settle(again)), ["w_002"])

    def test_continue_on_failure_goes_on_without_it(self):
        task, d, p = self.begin()
        self.e.settle([d])
        (out,) = of(self.expand(p, *self.batches(2, 1, "continue_on_failure")), "assign")
        rows = self.e.settle([out], success=False, retryable=False)
        self.assertEqual((self.names(rows), kinds(rows)["settled"]), (["w_002"], 1))
        self.assertEqual((self.e.step(task, "w_001").state, self.e.task(task).failed_steps), ("complete", 0))
        rows = self.e.settle(of(rows, "assign"))
        self.assertEqual(self.names(rows), ["y"])
        found = {r.step_name: json.loads(r.result)["success"] for r in self.c.query("SELECT * FROM tasker.fetch_results($1, $2, -1, 0)", task, ["w"])}
        self.assertEqual(found, {"w_001": False, "w_002": True})
        told = json.loads(self.c.value("SELECT tasker._step_changes($1, 100)::text", task))
        self.assertEqual({c["name"]: c["reason"] for c in told if c["to"] == "complete" and c["name"] in found},
                         {"w_001": "its handler failed for good; its batch goes on without it", "w_002": "its handler succeeded"})

    def test_fail_fast_starts_nothing_more(self):
        task, d, p = self.begin()
        self.e.settle([d])
        out = of(self.expand(p, *self.batches(5, 2)), "assign")
        rows = self.e.settle(out[:1], success=False, retryable=False)
        self.assertEqual(self.names(rows), [])
        self.assertEqual(self.names(self.e.settle(out[1:])), [])
        self.assertEqual(self.e.task(task).state, "blocked_by_failures")

    def isolated(self, n, window):
        task, d, p = self.begin()
        self.e.settle([d])
        return task, sorted(of(self.expand(p, *self.batches(n, window, "isolate")), "assign"), key=lambda a: a.step_name)

    def test_an_isolated_failure_stops_nobody_but_the_convergence(self):
        task, out = self.isolated(4, 2)
        rows = self.e.settle(out[:1], success=False, retryable=False)
        self.assertEqual((self.names(rows), self.e.task(task).state), (["w_003"], "blocked_by_failures"), "it gives its place away")
        out = out[1:] + of(rows, "assign")
        rows = self.e.settle(out[:1], success=False)
        self.assertEqual(kinds(rows), {"retry": 1})
        self.e.end_pauses()
        again = of(self.e.fire(), "assign")
        self.assertEqual(self.names(again), ["w_002"], "tried again though another one has failed")
        rows = self.e.settle([*again, *out[1:]])
        self.assertEqual((self.names(rows), self.names(self.e.settle(of(rows, "assign")))), (["w_004"], []))
        self.assertEqual((self.e.states(task)["y"], self.e.task(task).state, self.e.task(task).active_steps), ("pending", "blocked_by_failures", 0))
        self.e.act(task, "w_001", "reset_for_retry")
        again = of(self.e.claim(), "assign")
        self.assertEqual((self.names(again), self.names(self.e.settle(again))), (["w_001"], ["y"]))

    def test_isolated_failures_that_are_reset_take_their_turn(self):
        task, out = self.isolated(7, 2)
        for _ in range(2):
            out = of(self.e.settle(out, success=False, retryable=False), "assign")
        self.assertEqual(self.names(out), ["w_005", "w_006"])
        self.assertEqual(self.c.column("SELECT task_uuid FROM tasker.get_next_ready_tasks(5)"), [])
        for name in ("w_002", "w_003", "w_004"):
            self.assertEqual(kinds(self.e.act(task, name, "reset_for_retry")), {"acted": 1})
        self.assertEqual((self.e.claim(), self.e.states(task)["w_002"]), ([], "pending"))
        self.assertIn("waits for room", self.c.value("SELECT tasker.explain_task($1, '{}', '{}', '{}')", task))
        one = of(self.e.settle(out[:1]), "assign")
        self.assertEqual(self.names(one), ["w_007"], "it has not had its turn")
        two = of(self.e.settle(out[1:]), "assign")
        self.assertEqual(self.names(two), ["w_002"])
        self.assertEqual(self.names(self.e.settle([*one, *two])), ["w_003", "w_004"])
        self.e.settle(of(self.e.act(task, "w_001", "reset_for_retry"), "assign"))
        self.assertEqual(self.e.step(task, "w_001").no_room, True)
        running = self.c.query("SELECT workflow_step_uuid AS step_uuid, task_uuid, attempts AS attempt, msg_id, name AS step_name FROM tasker.workflow_steps "
                               "WHERE task_uuid = $1 AND state = 'in_progress' ORDER BY name", task)
        last = of(self.e.settle(running), "assign")
        self.assertEqual(self.names(last), ["w_001"])
        self.assertEqual(self.names(self.e.settle(last)), ["y"])

    def test_isolated_instances_that_the_end_of_their_task_has_stopped_keep_their_turns(self):
        task, out = self.isolated(4, 2)
        out = out[1:] + of(self.e.settle(out[:1], success=False, retryable=False), "assign")
        self.assertEqual((self.names(out), self.e.step(task, "w_004").no_room), (["w_002", "w_003"], True))
        self.assertTrue(self.c.value("SELECT tasker.transition_task_state_atomic($1, 'blocked_by_failures', 'error', NULL)", task))
        self.e.act(task, "w_003", "reset_for_retry")
        again = of(self.e.claim(), "assign")
        self.assertEqual((self.names(again), self.e.step(task, "w_004").no_room, self.e.states(task)["w_001"]), (["w_002", "w_003"], True, "error"))
        last = of(self.e.settle(again), "assign")
        self.assertEqual((self.names(last), self.e.act(task, "w_001", "skip")[0].kind, self.names(self.e.settle(last))), (["w_004"], "acted", ["y"]))

    def test_an_isolated_failure_that_is_reset_where_there_is_room(self):
        task, out = self.isolated(3, 2)
        out = of(self.e.settle(out[:1], success=False, retryable=False), "assign") + out[1:]
        self.e.settle(out)
        self.assertEqual(kinds(self.e.act(task, "w_001", "reset_for_retry")), {"acted": 1, "queued": 1, "done": 1})

    def test_ready_isolated_steps_that_nobody_dispatched_are_seen(self):
        task, out = self.isolated(3, 3)
        self.e.settle(out[:1], success=False, retryable=False)
        self.assertEqual(self.c.column("SELECT task_uuid FROM tasker.get_next_ready_tasks(5)"), [])
        self.c.query("UPDATE tasker.workflow_steps SET state = 'pending', msg_id = NULL WHERE workflow_step_uuid = $1", out[1].step_uuid)
        self.assertEqual(self.c.query("SELECT task_uuid, ready_steps_count FROM tasker.get_next_ready_tasks(5)"), [{"task_uuid": task, "ready_steps_count": 1}])
        self.c.query("UPDATE tasker.workflow_steps SET state = 'in_progress', msg_id = $2 WHERE workflow_step_uuid = $1", out[1].step_uuid, out[1].msg_id)

    def test_isolated_failures_in_one_transaction_with_successes(self):
        task, out = self.isolated(6, 3)
        rows = self.e.settle(out[:2], success=False, retryable=False)
        self.assertEqual(self.names(rows), ["w_004", "w_005"])
        self.e.settle([out[2], *of(rows, "assign")])
        self.assertEqual((self.e.states(task)["w_006"], self.e.states(task)["y"]), ("in_progress", "pending"))

    def test_isolated_instances_go_on_though_something_else_has_failed(self):
        task, d, p = self.begin()
        self.e.settle([d], success=False, retryable=False)
        out = of(self.expand(p, *self.batches(3, 2, "isolate")), "assign")
        self.assertEqual(self.names(out), ["w_001", "w_002"])
        rows = self.e.settle(out)
        self.assertEqual((self.names(rows), self.names(self.e.settle(of(rows, "assign")))), (["w_003"], []))
        self.assertEqual((self.e.states(task)["y"], self.e.task(task).state), ("pending", "blocked_by_failures"))

    def test_an_isolated_instance_that_waited_for_a_step_beside_its_analyzer(self):
        for single in (True, False):
            with self.subTest(single=single):
                task, d, p = self.begin()
                steps, edges = self.batches(1, 1, "isolate")
                b, = of(self.expand(p, ["b", *steps], [("p", "b"), ("b", "w"), *edges]), "assign")
                self.e.settle([d], success=False, retryable=False)
                self.e.single = single
                self.assertEqual((b.step_name, self.names(self.e.settle([b]))), ("b", ["w_001"]))

    def test_a_lost_isolated_instance_gives_its_place_away(self):
        task, out = self.isolated(3, 1)
        self.assertEqual(kinds(self.e.release(out, lost=True, losses_max=0)), {"failed": 1, "queued": 1, "done": 1})
        self.assertEqual(self.names(self.e.claim()), ["w_002"])
        self.assertEqual(self.e.states(task), {**self.e.states(task), "w_001": "error", "w_003": "pending"})

    def test_an_isolated_failure_resolved_by_hand_makes_no_second_room(self):
        task, out = self.isolated(4, 1)
        self.assertEqual(self.names(self.e.settle(out, success=False, retryable=False)), ["w_002"])
        self.assertEqual(kinds(self.e.act(task, "w_001", "resolve_manually")).get("queued"), None)
        self.assertEqual(self.e.states(task)["w_003"], "pending")

    def test_a_paused_isolated_batch_gets_nothing_new(self):
        task, out = self.isolated(3, 1)
        self.e.hold(task)
        self.assertEqual(self.names(self.e.settle(out, success=False, retryable=False)), [])
        self.e.hold(task, on=False)
        self.assertEqual(self.names(self.e.claim()), ["w_002"], "though the task has failed")

    def test_results_of_instances_come_in_pages(self):
        task, d, p = self.begin()
        self.e.settle([d])
        out = of(self.expand(p, *self.batches(2500, 5000)), "assign")
        self.assertEqual(len(out), 2500)
        self.e.settle(out, result={"success": True, "result": 1})
        names, after = [], (-1, 0)
        for size in (1000, 1000, 500):
            page = self.c.query("SELECT * FROM tasker.fetch_results($1, $2, $3, $4)", task, ["w"], *after)
            self.assertEqual(len(page), size)
            names += [r.step_name for r in page]
            after = (page[-1].step_no, page[-1].instance)
        self.assertEqual(names, [f"w_{i:03}" for i in range(1, 2501)])
        self.assertEqual([r.step_name for r in self.c.query("SELECT * FROM tasker.fetch_results($1, $2, -1, 0)", task, ["w_007", "d"])], ["d", "w_007"])

    def test_the_sweeper_finds_a_window_that_stands_still(self):
        task, d, p = self.begin()
        self.e.settle([d])
        (out,) = of(self.expand(p, *self.batches(2, 1)), "assign")
        self.c.query("UPDATE tasker.workflow_steps SET instance = 9999 WHERE workflow_step_uuid = $1", out.step_uuid)  # nobody is behind it
        self.e.settle([out])
        self.assertEqual([r.problem for r in self.c.query("SELECT * FROM tasker.check_consistency($1)", task)], ["batch without room"])
        self.assertEqual([r.what for r in of(self.e.sweep(), "repaired")], ["waits though its batch has room"])
        self.assertEqual(self.names(self.e.claim()), ["w_002"])

    # -- where people meet batches --

    def test_an_instance_ended_by_hand_makes_room(self):
        for action, data in (("resolve_manually", None), ("complete_manually", '{"result": 1}')):
            with self.subTest(action):
                task, d, p = self.begin()
                self.e.settle([d])
                self.expand(p, *self.batches(3, 1))
                self.assertEqual(kinds(self.e.act(task, "w_001", action, data=data)), {"acted": 1, "called_off": 1, "queued": 1})
                self.assertEqual(self.names(self.e.claim()), ["w_002"])
                self.assertEqual(self.c.query("SELECT * FROM tasker.check_consistency($1)", task), [])

    def test_an_instance_that_waits_for_room_and_is_ended_by_hand_takes_none(self):
        task, d, p = self.begin()
        self.e.settle([d])
        (out,) = of(self.expand(p, *self.batches(3, 1)), "assign")
        self.assertEqual(kinds(self.e.act(task, "w_003", "skip")), {"acted": 1})
        self.assertEqual(self.e.states(task)["w_002"], "pending")
        self.assertEqual(self.c.query("SELECT * FROM tasker.check_consistency($1)", task), [])
        rows = self.e.settle([out])
        self.assertEqual(self.names(rows), ["w_002"])
        self.assertEqual(self.names(self.e.settle(of(rows, "assign"))), ["y"])

    def test_a_failed_instance_that_is_reset_keeps_its_place(self):
        task, d, p = self.begin()
        self.e.settle([d])
        self.e.settle(of(self.expand(p, *self.batches(3, 1)), "assign"), success=False, retryable=False)
        self.assertEqual(self.e.task(task).state, "blocked_by_failures")
        self.e.act(task, "w_001", "reset_for_retry")
        again = of(self.e.claim(), "assign")
        self.assertEqual(self.names(again), ["w_001"])
        self.assertEqual(self.names(self.e.settle(again)), ["w_002"])

    def test_a_paused_batch_goes_on_where_it_was(self):
        task, d, p = self.begin()
        self.e.settle([d])
        out = of(self.expand(p, *self.batches(4, 2)), "assign")
        self.e.hold(task)
        self.assertEqual(self.names(self.e.settle(out[:1])), [])
        self.assertEqual(self.c.query("SELECT * FROM tasker.check_consistency($1)", task), [])
        self.e.hold(task, on=False)
        self.assertEqual(self.names(self.e.claim()), ["w_003"])
        self.assertEqual(self.c.query("SELECT * FROM tasker.check_consistency($1)", task), [])

    def superseded(self, task):
        return [(r.name, r.state, r.generation) for r in self.c.query("SELECT * FROM tasker.superseded_steps WHERE task_uuid = $1 ORDER BY step_no, instance", task)]

    def test_a_rerun_drops_what_came_at_run_time_and_makes_it_anew(self):
        task, d, p = self.begin()
        old, = of(self.expand(d, *BRANCH), "assign")
        self.e.settle([old])
        rows = self.e.rerun(task, "start")
        self.assertEqual(kinds(rows), {"acted": 1, "called_off": 2, "queued": 1, "done": 1} if "done" in kinds(rows) else {"acted": 1, "called_off": 2, "queued": 1})
        self.assertEqual(self.superseded(task), [("a", "complete", 0), ("z", "in_progress", 0)])
        self.assertEqual((set(self.e.states(task)), self.e.task(task).total_steps), ({"start", "d", "p"}, 3))
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.step_results WHERE workflow_step_uuid = $1", old.step_uuid), 1)
        out = of(self.e.settle(of(self.e.claim(), "assign")), "assign")
        d, p = sorted(out, key=lambda x: x.step_name)
        self.e.settle([p])
        rows = self.expand(d, ["b", "z"], [("d", "b"), ("b", "z")])
        self.assertEqual(self.names(rows), ["b"])
        rows = self.e.settle(of(self.e.settle(of(rows, "assign")), "assign"))
        self.assertEqual((self.one(rows, "done").step_name, set(self.e.states(task))), ("complete", {"start", "d", "p", "b", "z"}))

    def test_a_rerun_of_an_analyzer_drops_its_batches(self):
        task, d, p = self.begin()
        self.e.settle([d])
        out = of(self.expand(p, *self.batches(5, 2)), "assign")
        out = of(self.e.settle(out), "assign")
        rows = self.e.rerun(task, "p")
        self.assertEqual((len(of(rows, "called_off")), [n for n, _, _ in self.superseded(task)]), (2, [*[f"w_{i:03}" for i in range(1, 6)], "y"]))
        self.assertEqual(kinds(self.e.settle(out)), {"stale": 2})
        p, = of(self.e.claim(), "assign")
        out = of(self.expand(p, *self.batches(1, 2)), "assign")
        self.assertEqual(self.names(rows := self.e.settle(out)), ["y"])
        self.assertEqual(self.one(self.e.settle(of(rows, "assign")), "done").step_name, "complete")

    def test_a_rerun_of_a_branch_leaves_the_decision_alone(self):
        task, d, p = self.begin()
        out = of(self.expand(d, *BRANCH), "assign")
        self.e.settle(of(self.e.settle(out), "assign") + [p])
        self.assertEqual((self.e.task(task).state, self.e.rerun(task, "a")[0].kind, self.superseded(task)), ("complete", "acted", []))
        self.assertEqual(self.e.states(task), {"start": "complete", "d": "complete", "a": "enqueued", "z": "pending", "p": "complete"})

    # -- races --

    def later(self, conn, sql, *args):
        """A statement in a thread of its own; returns what waits for its rows."""
        found = []

        def run():
            try:
                found.append(conn.query(sql, *args))
            except PgError as e:
                found.append(e)
        thread = threading.Thread(target=run)
        thread.start()
        return lambda: (thread.join(20), found[0])[1]

    def blocked(self):
        watch = self.connect()
        for _ in range(2000):
            if watch.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                return
            watch.query("SELECT pg_sleep(0.005)")
        self.fail("nobody waits")

    def test_cancel_waits_for_an_expansion_and_takes_its_steps_too(self):
        task, d, _ = self.begin()
        self.c.script("BEGIN")
        self.look(d)
        cancelled = self.later(self.connect(), "SELECT * FROM tasker.cancel_task($1, $2, $3, NULL)", task, "me", "enough")
        self.blocked()
        self.grow(task, *BRANCH)
        self.e.settle([d])
        self.c.script("COMMIT")
        self.assertEqual(cancelled()[0].outcome, "cancelled")
        self.assertEqual(self.e.states(task), {"start": "complete", "d": "complete", "a": "cancelled", "z": "cancelled", "p": "cancelled"})
        self.assertEqual(self.e.messages(), 0)

    def test_an_expansion_waits_for_cancel_and_makes_nothing(self):
        task, d, _ = self.begin()
        other = self.connect()
        other.script("BEGIN")
        other.query("SELECT * FROM tasker.cancel_task($1, $2, $3, NULL)", task, "me", "enough")
        seen = self.later(self.c, "SELECT * FROM tasker.growth_begin($1, $2, $3, $4)", *held(d))
        self.blocked()
        other.script("COMMIT")
        self.assertEqual(seen(), [])
        self.assertEqual(kinds(self.e.settle([d])), {"stale": 1})
        self.assertEqual(self.e.task(task).total_steps, 3)

    def test_two_orchestrators_with_the_same_outcome(self):
        task, d, _ = self.begin()
        other = self.connect()
        self.c.script("BEGIN")
        self.assertTrue(self.look(d))
        seen = self.later(other, "SELECT * FROM tasker.growth_begin($1, $2, $3, $4)", *held(d))
        self.blocked()
        self.grow(task, *BRANCH)
        self.e.settle([d])
        self.c.script("COMMIT")
        self.assertEqual(seen(), [])
        self.assertEqual(self.e.task(task).total_steps, 5)
