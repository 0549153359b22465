# SPDX-License-Identifier: MIT
"""Decisions bring steps into being: which ones, what they wait for, what is refused, and that nothing is lost or made twice."""
from lib.replicas import Replicas
from lib.system import eventually

APPROVAL = ("conditional_approval_rust", "approval_routing")


def result(task, step):
    return task["by_name"][step]["results"]["result"]


class Decisions(Replicas):
    def decide(self, status="complete", **decide):
        task = self.s.run("tests", "decisions", {"decide": decide})
        self.assertEqual(task["status"], status, task)
        return task

    def waits_for(self, task, step):
        return set(task["by_name"][step]["dependencies"])

    # -- conditional approval --

    def approve(self, amount, **more):
        return self.s.run(*APPROVAL, {"amount": amount, "requester": "ada", "purpose": "a chair", **more})

    def test_amounts_decide_who_approves(self):
        auto, manager, both = ["auto_approve"], ["manager_approval"], ["manager_approval", "finance_review"]
        for amount, approvals, path, route in ((500, auto, "auto", "auto_approval"), (0.01, auto, "auto", "auto_approval"),
                                               (2500, manager, "manager_only", "manager_only"), (3000, manager, "manager_only", "manager_only"),
                                               (10000, both, "dual_approval", "dual_approval"), (7500, both, "dual_approval", "dual_approval"),
                                               (1000, manager, "manager_only", "manager_only"), (5000, both, "dual_approval", "dual_approval")):
            with self.subTest(amount):
                task = self.approve(amount)
                self.assertEqual(set(task["by_name"]), {"validate_request", "routing_decision", "finalize_approval", *approvals})
                self.assertEqual((task["status"], task["total_steps"], task["completed_steps"]), ("complete", 3 + len(approvals), 3 + len(approvals)))
                self.assertEqual({s["current_state"] for s in task["by_name"].values()}, {"complete"})
                decision = result(task, "routing_decision")
                self.assertEqual((decision["route_type"], decision["amount"]), (route, amount))
                self.assertEqual(decision["decision_point_outcome"], {"type": "create_steps", "step_names": approvals})
                final = result(task, "finalize_approval")
                self.assertEqual((final["approval_path"], final["approved"], [a["step"] for a in final["approval_chain"]]), (path, True, approvals))
                self.assertEqual(self.waits_for(task, "finalize_approval"), set(approvals))

    def test_only_what_no_decision_brings_exists_at_first(self):
        reply = self.s.call("POST", "/v1/tasks", {"namespace": APPROVAL[0], "name": APPROVAL[1], "version": "1.0.0", "initiator": "test",
                                                  "source_system": "tests", "reason": "count", "context": {"amount": 1, "requester": "a", "purpose": "p"}})
        self.assertEqual(reply.json["total_steps"], 2, reply)
        self.s.wait(reply.json["task_uuid"])

    def test_a_bad_request_fails_in_validation(self):
        """The template's schema refuses it; without one the first handler does."""
        without = self.s.without_schema("conditional_approval.yaml")
        good = {"amount": 10, "requester": "ada", "purpose": "a chair"}
        for change, code in (({"amount": 0}, "INVALID_AMOUNT"), ({"amount": -5}, "INVALID_AMOUNT"), ({"amount": "x"}, "MISSING_AMOUNT"),
                             ({"requester": ""}, "EMPTY_REQUESTER"), ({"requester": None}, "MISSING_REQUESTER"),
                             ({"purpose": ""}, "EMPTY_PURPOSE"), ({"purpose": None}, "MISSING_PURPOSE")):
            with self.subTest(str(change)):
                self.assertIn(f"input_schema: /{next(iter(change))}: must ", self.s.refused(*APPROVAL, {**good, **change}))
                task = self.s.run(*APPROVAL, {**good, **change}, **without)
                self.assertEqual((task["status"], task["total_steps"]), ("blocked_by_failures", 2))
                self.assertEqual(task["by_name"]["validate_request"]["results"]["metadata"]["error_code"], code)

    def test_a_denial_is_a_result(self):
        task = self.approve(9000, deny={"finance_review": True})
        self.assertEqual((task["status"], result(task, "finalize_approval")["approved"], result(task, "manager_approval")["approved"]),
                         ("complete", False, True))

    # -- nested, and side by side --

    def test_nothing_chosen_anywhere(self):
        task = self.decide()
        self.assertEqual(set(task["by_name"]), {"start", "outside", "d1", "e1"})

    def test_three_deep(self):
        task = self.decide(d1=["a1"], d2=["a2"], d3=["b3", "a3"])
        self.assertEqual(set(task["by_name"]), {"start", "outside", "d1", "a1", "d2", "a2", "d3", "a3", "b3", "e1", "join", "last"})
        self.assertLessEqual({"a3", "b3"}, self.waits_for(task, "join"))
        self.assertEqual(result(task, "last")["names"].count("join"), 1)
        self.assertLessEqual({"a1", "a2", "a3", "b3", "d1", "d2", "d3"}, set(result(task, "join")["names"]))

    def test_an_earlier_branch_waits_for_a_later_one(self):
        task = self.s.run("tests", "decisions", {"decide": {"d1": ["a1", "b1"], "d2": ["a2", "b2"], "d3": ["a3"], "e1": ["x1"]}, "decide_ms": 60})
        self.assertEqual((task["status"], task["total_steps"]), ("complete", 14))
        self.assertLessEqual({"b1", "b2", "a3", "x1"}, self.waits_for(task, "join"))
        at = {s["step"]: s for s in self.s.call("GET", f"/v1/tasks/{task['task_uuid']}/timeline").json["attempts"]}
        for parent in ("b1", "b2", "a3", "x1"):
            self.assertGreaterEqual(at["join"]["dispatched_ms"], at[parent]["settled_ms"], parent)

    def test_a_dependency_that_existed_before_is_kept(self):
        task = self.decide(d1=["b1"])
        self.assertEqual(self.waits_for(task, "b1"), {"d1", "outside"})
        self.assertNotIn("d2", task["by_name"])  # no chosen branch leads there

    def test_only_the_other_decision_brings_something(self):
        task = self.decide(e1=["x1"])
        self.assertEqual(set(task["by_name"]), {"start", "outside", "d1", "e1", "x1", "join", "last"})

    # -- refusals --

    def test_a_wrong_outcome_fails_the_decision_and_creates_nothing(self):
        many = [f"s{i}" for i in range(101)]
        for outcome, says in ((["nobody"], "'nobody', which is not a step"), (["outside"], "not below it"), (["a1", "a1"], "twice"),
                              (["d2"], "another decision"), (["a2"], "below another decision"), ([], "at least one"), (many, "101 steps, 100 are allowed"),
                              ({"type": "perhaps"}, "perhaps"), ({"type": "create_steps"}, "step_names"), ({"type": "create_steps", "step_names": [1]}, "not a string")):
            with self.subTest(str(outcome)[:60]):
                task = self.s.run("tests", "decisions", {"decide": {"d1": outcome}})
                self.assertEqual((task["status"], task["total_steps"]), ("blocked_by_failures", 4))
                failed = task["by_name"]["d1"]
                error = failed["results"]["error"]
                self.assertEqual((failed["current_state"], failed["attempts"], error["error_type"], error["retryable"]), ("error", 1, "invalid_outcome", False))
                self.assertIn(says, error["message"])

    def test_a_decision_that_says_nothing_fails(self):
        task = self.s.run("tests", "decisions", {"decide": {"d1": None}})
        self.assertEqual(task["by_name"]["d1"]["results"]["error"]["error_type"], "missing_outcome")

    # -- sight --

    def test_explain_names_what_a_step_waits_for(self):
        task = self.s.submit("tests", "decisions", {"decide": {"d1": ["b1"]}, "decide_ms": 1500})
        eventually(lambda: {s["name"]: s["why"] for s in self.s.call("GET", f"/v1/tasks/{task}/explain").json["steps"]}.get("d1", "").startswith("runs"))
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def test_metrics_count_what_grew(self):
        def grown():
            return sum(self.s.metric(self.s.process("orchestrator", at)["rest"], "tasker_orchestrator_steps_grown_total") for at in range(2))
        before = grown()
        self.approve(10)
        self.assertEqual(grown() - before, 2)

    def test_a_hundred_at_once(self):
        tasks = [self.s.submit(*APPROVAL, {"amount": 10 + 100 * i, "requester": "ada", "purpose": "p"}, base=self.s.process("orchestrator", i % 2)["rest"])
                 for i in range(100)]
        for i, task in enumerate(tasks):
            done = self.s.wait(task)
            self.assertEqual((done["status"], done["total_steps"]), ("complete", 5 if 10 + 100 * i >= 5000 else 4))
