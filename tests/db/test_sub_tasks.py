# SPDX-License-Identifier: MIT
"""Sub-tasks: a step starts a task and waits for it. What each end of either does to the other, once, whoever is faster."""
import itertools
import json
import random
import threading

import sub_tasks
from engine import PROCESSOR, DbTest, kinds, new_uuid, of

PARENT = {"first": [], "order": ["first"], "last": ["order"]}
CHILD = {"pick": [], "ship": ["pick"]}


class SubTasks(DbTest):
    def setUp(self):
        super().setUp()
        self.parent, self.child = self.e.register(PARENT, name="parent"), self.e.register(CHILD, name="child")

    # -- as an orchestrator does --

    def begin(self, **fields):
        """A task whose step `order` is at work: (task, its assignment)."""
        rows = self.e.create(self.parent, credit=10, **fields)
        task = self.one(rows, "created").task_uuid
        return task, self.one(self.e.settle(of(rows, "assign")), "assign")

    def sub(self, a, template=None, **kwargs):
        return sub_tasks.start(self.e, a, template or self.child, **kwargs)

    def start_child(self, a, template=None, **kwargs):
        """(child, its first assignments)"""
        rows = self.sub(a, template, **kwargs)
        return self.one(rows, "waits").task_uuid, of(rows, "assign")

    def look(self, **kwargs):
        return sub_tasks.look(self.e, **kwargs)

    def look_at_all(self):
        return sub_tasks.look_at_all(self.e)

    def finish_child(self, assigns, **results):
        """Runs a child to its end."""
        while assigns:
            assigns = of(self.e.settle(assigns, **results), "assign")

    def outcome(self, child):
        return self.c.value("SELECT outcome FROM tasker.sub_tasks WHERE child_uuid = $1", child)

    def dues(self):
        return self.c.value("SELECT count(*) FROM tasker.sub_task_dues")

    def result(self, task, name):
        return json.loads(self.c.value("SELECT r.result FROM tasker.step_results r JOIN tasker.workflow_steps s USING (workflow_step_uuid) "
                                       "WHERE s.task_uuid = $1 AND s.name = $2 ORDER BY r.attempt DESC LIMIT 1", task, name))

    # -- the way it should go --

    def test_the_step_waits_without_message_and_goes_on_with_the_results(self):
        task, a = self.begin(priority=5, correlation=new_uuid())
        child, assigns = self.start_child(a)
        step, told = self.e.step(task, "order"), self.e.task(child)
        self.assertEqual((step.state, step.msg_id, self.e.task(task).state, self.e.task(task).active_steps),
                         ("enqueued_for_orchestration", None, "waiting_for_dependencies", 0))
        self.assertEqual((told.parent_correlation_id, told.priority, told.initiator, told.source_system),
                         (self.e.task(task).correlation_id, 5, "test", "sub_task"))
        self.assertEqual([x.step_name for x in assigns], ["pick"])
        self.assertEqual((assigns[0].parent_correlation_id, self.e.messages()), (told.parent_correlation_id, 1))
        self.assertEqual(self.c.query("SELECT * FROM tasker.check_consistency(NULL)"), [])
        self.assertEqual((self.look(), self.dues()), ([], 0))
        self.finish_child(assigns)
        self.assertEqual((self.e.task(child).state, self.dues()), ("complete", 1))
        rows = self.look()
        self.assertEqual((self.one(rows, "sub_task").step_name, self.one(rows, "assign").step_name), ("complete", "last"))
        document = self.result(task, "order")
        self.assertEqual((document["success"], document["step_uuid"], document["metadata"]["custom"]), (True, a.step_uuid, {"sub_task_uuid": child}))
        self.assertEqual(document["result"], {"sub_task": {"task_uuid": child, "namespace": "shop", "name": "child", "version": "1.0.0", "status": "complete",
                                                           "correlation_id": told.correlation_id},
                                              "results": {"pick": "pick", "ship": "ship"}, "results_complete": True})
        self.assertEqual(json.loads(self.one(rows, "assign").dependency_results)["order"]["result"]["results"]["ship"], "ship")
        self.finish_child(of(rows, "assign"))
        self.assertEqual((self.e.task(task).state, self.outcome(child), self.dues(), self.e.messages()), ("complete", "complete", 0, 0))
        self.assertEqual([h[:2] for h in self.e.history(task, "order")],
                         [("pending", "in_progress"), ("in_progress", "enqueued_for_orchestration"), ("enqueued_for_orchestration", "in_progress"),
                          ("in_progress", "complete")])

    def test_the_same_result_twice_starts_one_child(self):
        task, a = self.begin()
        child, _ = self.start_child(a)
        self.assertEqual(kinds(self.sub(a)), {"already": 1})
        self.assertEqual(kinds(self.e.settle([a])), {"stale": 1})
        self.assertEqual(self.c.column("SELECT child_uuid FROM tasker.sub_tasks WHERE parent_uuid = $1", task), [child])

    def test_a_late_wish_of_a_lost_attempt_starts_nothing(self):
        task, a = self.begin()
        self.e.release([a], lost=True)
        self.assertEqual(kinds(self.sub(a)), {"stale": 1})
        again = self.one(self.e.claim(), "assign")
        self.start_child(again)
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.sub_tasks WHERE parent_uuid = $1", task), 1)

    def test_what_cannot_be_started_changes_nothing(self):
        task, a = self.begin()
        before = self.e.step(task, "order")
        self.assertEqual(self.one(self.sub(a, depth_max=0), "refused").step_name, "depth")
        self.assertEqual(self.one(self.sub(a, count_max=0), "refused").step_name, "count")
        self.assertEqual(self.one(self.sub(a, digest="0" * 64), "unmade").step_name, "unknown_template")
        self.assertEqual((self.e.step(task, "order"), self.c.value("SELECT count(*) FROM tasker.tasks")), (before, 1))
        decision = self.e.register({"d": []}, d={"step_type": "decision"})
        (d,) = of(self.e.create(decision, credit=1), "assign")
        self.assertEqual(self.one(self.sub(d), "refused").step_name, "step_type")

    def test_depth_counts_from_the_task_nobody_started(self):
        _, a = self.begin()
        for depth in (1, 2, 3):
            child, (a,) = self.start_child(a, depth_max=3)
            self.assertEqual(self.c.value("SELECT depth FROM tasker.sub_tasks WHERE child_uuid = $1", child), depth)
        row = self.one(self.sub(a, depth_max=3), "refused")
        self.assertEqual((row.step_name, row.idx), ("depth", 4))

    def test_results_too_large_are_left_out(self):
        task, a = self.begin()
        child, assigns = self.start_child(a)
        for size in (100, 100000):
            assigns = of(self.e.settle(assigns, result={"success": True, "result": random.Random(size).randbytes(size).hex()}), "assign")
        self.look(bytes_max=10000)
        result = self.result(task, "order")["result"]
        self.assertEqual((result["results"], result["results_complete"], result["sub_task"]["task_uuid"]), ({}, False, child))

    # -- failures --

    def test_a_failed_child_fails_the_attempt_and_the_next_one_starts_another(self):
        task, a = self.begin()
        child, assigns = self.start_child(a)
        self.e.settle(assigns, success=False, retryable=False, result={"success": False, "error": {"message": "out of stock"}})
        self.assertEqual((self.e.task(child).state, self.dues()), ("blocked_by_failures", 1))
        rows = self.look()
        self.assertEqual((self.one(rows, "sub_task").step_name, kinds(rows)["retry"], self.e.step(task, "order").state), ("failed", 1, "waiting_for_retry"))
        self.assertEqual((self.e.task(child).state, self.e.states(child)), ("error", {"pick": "error", "ship": "cancelled"}))
        error = self.result(task, "order")["error"]
        self.assertEqual((error["error_type"], error["retryable"], error["message"]),
                         ("sub_task_failed", True, f"sub-task {child} (shop/child) is error: step pick failed: out of stock"))
        self.e.end_pauses()
        again = self.one(self.e.fire(), "assign")
        self.assertEqual((again.step_name, again.attempt), ("order", 2))
        second, assigns = self.start_child(again)
        self.assertNotEqual(second, child)
        self.finish_child(assigns)
        self.assertEqual(self.one(self.look(), "assign").step_name, "last")
        self.assertEqual((self.outcome(child), self.outcome(second)), ("failed", "complete"))

    def test_attempts_run_out(self):
        task, a = self.begin()
        for _ in range(3):
            _, assigns = self.start_child(a)
            self.e.settle(assigns, success=False, retryable=False)
            rows = self.look()
            self.e.end_pauses()
            a = (of(self.e.fire(), "assign") or [None])[0]
        self.assertEqual((a, kinds(rows)["failed"], self.e.step(task, "order").state, self.e.task(task).state), (None, 1, "error", "blocked_by_failures"))

    def test_a_blocked_child_may_be_waited_for(self):
        task, a = self.begin()
        child, assigns = self.start_child(a, wait_blocked=True)
        self.e.settle(assigns, success=False, retryable=False)
        self.assertEqual((self.e.task(child).state, self.dues(), self.look()), ("blocked_by_failures", 0, []))
        self.e.act(child, "pick", "reset_for_retry")
        self.finish_child(of(self.e.claim(), "assign"))
        self.assertEqual(self.one(self.look(), "assign").step_name, "last")
        self.assertEqual(self.e.step(task, "order").attempts, 1)

    def test_a_child_cancelled_by_itself_fails_the_step_for_good(self):
        task, a = self.begin()
        child, _ = self.start_child(a)
        self.e.cancel(child)
        rows = self.look()
        self.assertEqual((self.one(rows, "sub_task").step_name, kinds(rows)["failed"]), ("cancelled", 1))
        self.assertEqual((self.e.step(task, "order").state, self.result(task, "order")["error"]["error_type"]), ("error", "sub_task_cancelled"))

    def test_a_child_that_ends_takes_no_result_in_the_same_look(self):
        """Parent, child and grandchild: the child has failed and is not waited for, and its own child is complete by then."""
        task, a = self.begin()
        middle, assigns = self.start_child(a, template=self.e.register({"call": [], "beside": []}, name="middle"))
        call, beside = sorted(assigns, key=lambda x: x.step_name != "call")
        _, below = self.start_child(call)
        self.finish_child(below)
        self.e.settle([beside], success=False, retryable=False)
        self.assertEqual(self.dues(), 2)
        self.look_at_all()
        self.assertEqual((self.e.task(middle).state, self.e.states(middle)), ("error", {"call": "cancelled", "beside": "error"}))
        self.assertEqual(self.e.step(task, "order").state, "waiting_for_retry")

    # -- the parent decides --

    def test_cancel_reaches_all_below(self):
        task, a = self.begin()
        below = []
        for _ in range(4):
            child, (a,) = self.start_child(a)
            below.append(child)
        self.e.cancel(task)
        rows = self.look_at_all()
        self.assertEqual([r.task_uuid for r in of(rows, "sub_task")], below)
        self.assertEqual({self.e.task(t).state for t in below}, {"cancelled"})
        self.assertEqual([r.step_uuid for r in of(rows, "called_off")], [a.step_uuid])
        self.assertEqual(({self.outcome(t) for t in below}, self.e.messages(), kinds(self.e.settle([a]))), ({"called_off"}, 0, {"stale": 1}))

    def test_a_step_completed_by_hand_calls_its_child_off(self):
        for action, data in (("complete_manually", {"result": {"by": "hand"}}), ("resolve_manually", None), ("skip", None)):
            with self.subTest(action):
                task, a = self.begin()
                child, _ = self.start_child(a)
                self.assertEqual(kinds(self.e.act(task, "order", action, data=data))["relatives"], 1)
                self.assertEqual([r.step_name for r in of(self.look_at_all(), "sub_task")], ["called_off"])
                self.assertEqual((self.e.task(child).state, self.e.step(task, "last").state), ("cancelled", "enqueued"))
                self.e.cancel(task)

    def test_a_step_above_run_again_calls_the_child_off(self):
        task, a = self.begin()
        child, _ = self.start_child(a)
        self.assertEqual(kinds(self.e.rerun(task, "first"))["relatives"], 1)
        self.assertEqual(([r.step_name for r in of(self.look_at_all(), "sub_task")], self.e.task(child).state), (["called_off"], "cancelled"))
        (first,) = [x for x in of(self.e.claim(), "assign") if x.task_uuid == task]
        again = self.one(self.e.settle([first]), "assign")
        second, assigns = self.start_child(again)
        self.assertEqual((again.step_name, again.attempt), ("order", 2))
        self.finish_child(assigns)
        self.assertEqual((self.one(self.look(), "assign").step_name, self.outcome(second)), ("last", "complete"))

    def test_a_paused_parent_takes_the_result_and_starts_nothing(self):
        task, a = self.begin()
        _, assigns = self.start_child(a)
        self.e.hold(task)
        self.finish_child(assigns)
        self.assertEqual(of(self.look(), "assign"), [])
        self.assertEqual(self.e.states(task), {"first": "complete", "order": "complete", "last": "pending"})
        self.e.hold(task, on=False)
        self.assertEqual([x.step_name for x in of(self.e.claim(), "assign")], ["last"])

    def test_a_child_opened_again_is_waited_for_again(self):
        task, a = self.begin()
        child, assigns = self.start_child(a)
        self.e.settle(assigns, success=False, retryable=False)
        self.e.act(child, "pick", "reset_for_retry")  # before anybody looked
        self.assertEqual((self.look(), self.dues(), self.e.step(task, "order").state), ([], 0, "enqueued_for_orchestration"))
        self.finish_child(of(self.e.claim(), "assign"))
        self.assertEqual(self.one(self.look(), "assign").step_name, "last")

    # -- safety nets --

    def test_the_sweeper_finds_an_end_that_nobody_told(self):
        task, a = self.begin()
        child, assigns = self.start_child(a)
        self.finish_child(assigns)
        self.c.script("DELETE FROM tasker.sub_task_dues")
        self.assertEqual([r.problem for r in self.c.query("SELECT * FROM tasker.check_consistency(NULL)")], ["sub-task"])
        self.assertEqual([(r.task_uuid, r.what) for r in self.e.sweep() if r.kind == "repaired"], [(task, f"waits for sub-task {child}, which has ended")])
        self.assertEqual(self.one(self.look(), "assign").step_name, "last")

    def test_the_sweeper_leaves_a_waiting_step_alone(self):
        _, a = self.begin()
        self.start_child(a)
        self.assertEqual([r for r in self.e.sweep() if r.kind == "repaired"], [])

    def test_tasks_without_relatives_pay_no_statement(self):
        """Nothing of a plain chain, from its creation to its end, as much as opens the tables of sub-tasks."""
        self.c.script("BEGIN")
        self.addCleanup(self.c.script, "COMMIT")
        for _ in range(2):  # by the functions for one, and by those for many
            self.finish_child(of(self.e.create(self.child, credit=10), "assign"))
        self.finish_child(of(self.e.create(self.child, n=3, credit=10), "assign"))
        self.assertEqual(self.c.value("SELECT sum(seq_scan + coalesce(idx_scan, 0) + n_tup_ins)::int FROM pg_stat_xact_user_tables WHERE relname LIKE 'sub_task%'"), 0)
        self.assertFalse(self.c.value("SELECT bool_or(related) FROM tasker.open_tasks"))

    # -- sight --

    def test_tree_and_explain(self):
        task, a = self.begin()
        child, (b,) = self.start_child(a)
        grandchild, _ = self.start_child(b)
        tree = json.loads(self.c.value("SELECT tasker.sub_task_tree($1, 10)", task))
        self.assertEqual([(t["task_uuid"], t["parent_task_uuid"], t["step_name"], t["depth"], t["outcome"]) for t in tree["sub_tasks"]],
                         [(child, task, "order", 1, None), (grandchild, child, "pick", 2, None)])
        self.assertFalse(tree["more"])
        cut = json.loads(self.c.value("SELECT tasker.sub_task_tree($1, 1)", task))
        self.assertEqual(([t["task_uuid"] for t in cut["sub_tasks"]], cut["more"]), ([child], True))
        said = json.loads(self.c.value("SELECT tasker.explain_task($1, '{}', '{}', '{}')", task))
        self.assertEqual(said["summary"], f"order waits for sub-task {child} (shop/child, waiting_for_dependencies).")
        shown = json.loads(self.c.value("SELECT body FROM tasker.task_responses($1, false)", [child]))
        self.assertEqual((shown["parent_task_uuid"], shown["parent_step_uuid"]), (task, a.step_uuid))

    # -- races: real connections, every order --

    def test_child_ends_while_parent_is_cancelled(self):
        """Both at once, and two who carry it over: one end for the step, one for the child, nothing left."""
        for seed in range(12):
            with self.subTest(seed):
                task, a = self.begin()
                child, assigns = self.start_child(a)
                last = of(self.e.settle(assigns), "assign")
                conns = [self.connect() for _ in range(4)]
                gate = threading.Barrier(4)
                acts = [lambda c: c.query("SELECT * FROM tasker.cancel_task($1, 'pat', 'race', $2)", task, PROCESSOR),
                        lambda c: c.query("SELECT * FROM tasker.settle_steps($1,$2,$3,$4,'{t}','{f}','{-1}','{\"{}\"}','{w}','{1}','{}','{}',30000,$5)",
                                          [last[0].step_uuid], [child], [last[0].attempt], [last[0].msg_id], PROCESSOR),
                        lambda c: self.look(conn=c), lambda c: self.look(conn=c)]
                random.Random(seed).shuffle(acts)
                failed = []

                def run(conn, act, gate=gate, failed=failed):
                    gate.wait()
                    try:
                        act(conn)
                    except Exception as e:  # noqa: BLE001 any failure is one
                        failed.append(e)
                threads = [threading.Thread(target=run, args=pair) for pair in zip(conns, acts)]
                for t in threads:
                    t.start()
                for t in threads:
                    t.join()
                for c in conns:
                    c.close()
                self.assertEqual(failed, [])
                self.look_at_all()
                states = self.e.task(task).state, self.e.task(child).state
                self.assertIn(states, {("cancelled", "complete"), ("cancelled", "cancelled")})
                self.assertIsNotNone(self.outcome(child))
                self.assertEqual((self.dues(), self.c.query("SELECT * FROM tasker.check_consistency($1)", task)), (0, []))

    def test_every_order_of_ends(self):
        """Child completes, parent is cancelled, step is completed by hand, child is cancelled, a look: all orders end consistent."""
        def acts(task, child, last):
            return {"child ends": lambda: self.e.settle(last), "cancel parent": lambda: self.e.cancel(task), "by hand": lambda: self.e.act(task, "order", "resolve_manually"),
                    "cancel child": lambda: self.e.cancel(child), "look": self.look}
        for order in itertools.permutations(("child ends", "cancel parent", "by hand", "cancel child", "look"), 4):
            with self.subTest(order):
                task, a = self.begin()
                child, assigns = self.start_child(a)
                last = of(self.e.settle(assigns), "assign")
                for name in order:
                    acts(task, child, last)[name]()
                self.look_at_all()
                self.assertEqual((self.dues(), self.c.query("SELECT * FROM tasker.check_consistency($1)", task),
                                  self.c.query("SELECT * FROM tasker.check_consistency($1)", child)), (0, [], []))
                self.assertIn(self.e.task(child).state, ("complete", "cancelled", "steps_in_process"))
                if self.e.step(task, "order").state != "enqueued_for_orchestration":
                    self.assertIn(self.e.task(child).state, ("complete", "cancelled"))
                if self.e.task(task).state != "cancelled":
                    self.e.cancel(task)
                    self.look_at_all()
