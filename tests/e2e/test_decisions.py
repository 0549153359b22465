# SPDX-License-Identifier: MIT
"""Decisions bring steps into being: which ones, what they wait for, what is refused, and that nothing is lost or made twice."""
import json

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

    # -- by hand --

    def complete(self, task, step, result):
        return self.s.call("PATCH", f"/v1/tasks/{task['task_uuid']}/workflow_steps/{task['by_name'][step]['step_uuid']}",
                           {"action_type": "complete_manually", "completed_by": "kim", "reason": "seen to it", "completion_data": {"result": result}})

    def at_rest(self, task):
        done = self.s.wait(task["task_uuid"])
        done["by_name"] = {s["name"]: s for s in self.s.call("GET", f"/v1/tasks/{task['task_uuid']}/workflow_steps").json}
        return done

    def test_a_decision_completed_by_hand_brings_what_it_says(self):
        task = self.s.run("tests", "decisions", {"decide": {"d1": None}})
        self.assertEqual((task["status"], task["by_name"]["d1"]["current_state"]), ("blocked_by_failures", "error"))
        for outcome, says in (({"type": "create_steps", "step_names": ["nobody"]}, "'nobody', which is not a step"), ({"type": "perhaps"}, "perhaps")):
            reply = self.complete(task, "d1", {"decision_point_outcome": outcome})
            self.assertEqual((reply.status, reply.json["error"]["code"]), (400, "BAD_REQUEST"))
            self.assertIn(says, reply.json["error"]["message"])
        self.assertEqual((self.at_rest(task)["by_name"]["d1"]["current_state"], self.at_rest(task)["total_steps"]), ("error", 4))
        said = {"why": "by hand", "decision_point_outcome": {"type": "create_steps", "step_names": ["b1"]}}
        self.assertEqual(self.complete(task, "d1", said).json["current_state"], "complete")
        self.assertEqual(self.complete(task, "d1", said).status, 200)  # said twice: made once
        done = self.at_rest(task)
        self.assertEqual((done["status"], set(done["by_name"])), ("complete", {"start", "outside", "d1", "e1", "b1", "join", "last"}))
        self.assertEqual((result(done, "d1"), self.waits_for(done, "b1"), result(done, "join")["names"].count("b1")), (said, {"d1", "outside"}, 1))

    def test_an_analyzer_completed_by_hand_brings_its_batches(self):
        task = self.s.run("tests", "batches", {"outcome": {"type": "perhaps"}})
        self.assertEqual(task["status"], "blocked_by_failures")
        (analyzer,) = [n for n, s in task["by_name"].items() if s["current_state"] == "error"]
        configs = [{"batch_id": f"{i:03}", "start_cursor": i, "end_cursor": i + 1, "batch_size": 1} for i in range(7)]
        reply = self.complete(task, analyzer, {"batch_processing_outcome": {"type": "create_batches", "worker_count": 7, "total_items": 7, "cursor_configs": configs}})
        self.assertEqual(reply.status, 200, reply)
        done = self.at_rest(task)
        instances = [s for s in done["by_name"].values() if s["instance"]]
        self.assertEqual((done["status"], len(instances), {s["current_state"] for s in instances}), ("complete", 7, {"complete"}))

    def test_a_result_by_hand_without_an_outcome_brings_nothing(self):
        task = self.s.run("tests", "decisions", {"decide": {"d1": None}})
        self.assertEqual(self.complete(task, "d1", {"paid": True}).status, 200)
        self.assertEqual(set(self.at_rest(task)["by_name"]), {"start", "outside", "d1", "e1"})

    # -- again --

    def rerun(self, task, step, decide):
        reply = self.s.call("PATCH", f"/v1/tasks/{task['task_uuid']}/workflow_steps/{task['by_name'][step]['step_uuid']}",
                            {"action_type": "rerun", "rerun_by": "kim", "reason": "decide anew", "context": {"decide": decide}})
        self.assertEqual(reply.status, 200, reply)
        return self.at_rest(task)

    def test_a_decision_run_again_brings_what_it_says_now(self):
        task = self.decide(d1=["b1"], e1=["x1"])
        self.assertLessEqual({"b1", "x1"}, self.waits_for(task, "join"))
        again = self.rerun(task, "d1", {"d1": ["a1"], "d2": ["a2"], "d3": ["a3"]})
        self.assertEqual((again["status"], set(again["by_name"])),
                         ("complete", {"start", "outside", "d1", "e1", "x1", "a1", "d2", "a2", "d3", "a3", "join", "last"}))
        self.assertLessEqual({"x1", "a3"}, self.waits_for(again, "join"))
        self.assertLessEqual({"x1", "a3"}, set(result(again, "join")["names"]))
        self.assertNotIn("b1", result(again, "join")["names"])
        self.assertEqual((again["total_steps"], again["completed_steps"]), (12, 12))
        nothing = self.rerun(again, "d1", {})
        self.assertEqual((nothing["status"], set(nothing["by_name"])), ("complete", {"start", "outside", "d1", "e1", "x1", "join", "last"}))
        self.assertEqual(set(result(nothing, "join")["names"]) & {"a1", "a2", "a3", "b1", "x1"}, {"x1"})
        kept = self.s.sql("SELECT name, generation FROM tasker.superseded_steps WHERE task_uuid = $1 ORDER BY generation, name", task["task_uuid"])
        self.assertEqual([(k.name, k.generation) for k in kept], [("b1", 0), *[(n, 1) for n in ("a1", "a2", "a3", "d2", "d3")]])

    def test_what_hangs_on_one_decision_alone_goes_with_it(self):
        task = self.decide(d1=["b1"])
        again = self.rerun(task, "d1", {})  # the other decision has brought nothing either
        self.assertEqual((again["status"], set(again["by_name"])), ("complete", {"start", "outside", "d1", "e1"}))
        task = self.decide(d1=["b1"])
        again = self.rerun(task, "start", {})
        self.assertEqual((again["status"], set(again["by_name"])), ("complete", {"start", "outside", "d1", "e1"}))
        more = self.rerun(again, "start", {"d1": ["b1"], "e1": ["x1"]})
        self.assertEqual((more["status"], set(more["by_name"])), ("complete", {"start", "outside", "d1", "e1", "b1", "x1", "join", "last"}))

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

    # -- limits --

    def register(self, name, steps):
        head = f"name: {name}\nnamespace_name: tests\nversion: 1.0.0\nsteps:\n"
        reply = self.s.call("POST", "/v1/templates", (head + "".join(f"  - {s}\n" for s in steps)).encode(), {"Content-Type": "application/yaml"})
        self.assertEqual((reply.status, reply.json["outcome"]), (201, "registered"), reply.body)

    def warnings(self):
        """How many were counted, of each kind."""
        return [sum(self.s.metric(self.s.process("orchestrator", at)["rest"], f'tasker_orchestrator_decision_warnings_total{{what="{what}"}}') for at in range(2))
                for what in ("steps", "depth")]

    def told(self, task):
        """What the logs say of its decisions, by depth."""
        lines = [json.loads(line) for at in range(2) for line in open(self.s.process("orchestrator", at)["log"], encoding="utf-8")
                 if '"decision.large"' in line and task["task_uuid"] in line]
        self.assertEqual({(x["level"], x["step_uuid"] == task["by_name"][x["step_name"]]["step_uuid"]) for x in lines} or {("warn", True)}, {("warn", True)})
        return sorted((x["depth"], x["step_name"], x["steps"]) for x in lines)

    def test_a_decision_names_so_many_steps(self):
        names = [f"n{i}" for i in range(101)]
        self.register("wide", ["{name: start, handler: {callable: test.work}}", "{name: d, type: decision, dependencies: [start], handler: {callable: test.decide}}",
                               *[f"{{name: {n}, dependencies: [d], handler: {{callable: test.work}}}}" for n in names]])
        steps, depth = self.warnings()
        for n, more in ((49, 0), (50, 1), (100, 1)):
            task = self.s.run("tests", "wide", {"decide": {"d": names[:n]}})
            self.assertEqual((task["status"], task["total_steps"]), ("complete", n + 2))
            steps += more
            eventually(lambda steps=steps: self.warnings() == [steps, depth], what="it is counted, after its commit")
            eventually(lambda task=task, n=n, more=more: self.told(task) == [(1, "d", n)] * more)
        task = self.s.run("tests", "wide", {"decide": {"d": names}})
        self.assertEqual((task["status"], task["total_steps"]), ("blocked_by_failures", 2))
        self.assertEqual(task["by_name"]["d"]["results"]["error"]["message"], "decision 'd' names 101 steps, 100 are allowed (decision.steps_max)")
        self.assertEqual(self.warnings(), [steps, depth])

    def test_decisions_follow_each_other_so_often(self):
        self.register("deep", ["{name: a0, handler: {callable: test.work}}", *[f"{{name: {step}, {kind}dependencies: [{after}], handler: {{callable: test.{handler}}}}}"
                               for i in range(1, 22) for step, kind, after, handler in ((f"d{i}", "type: decision, ", f"a{i - 1}", "decide"), (f"a{i}", "", f"d{i}", "work"))]])
        steps, depth = self.warnings()
        task = self.s.run("tests", "deep", {"decide": {f"d{i}": [f"a{i}"] for i in range(1, 22)}}, seconds=60)
        self.assertEqual((task["status"], task["total_steps"], task["by_name"]["a20"]["current_state"]), ("blocked_by_failures", 42, "complete"))
        self.assertEqual(task["by_name"]["d21"]["results"]["error"]["message"], "decision 'd21' is number 21 of the decisions on its way, 20 are allowed (decision.depth_max)")
        eventually(lambda: self.warnings() == [steps, depth + 11])
        eventually(lambda: self.told(task) == [(i, f"d{i}", 1) for i in range(10, 21)], what="the tenth to the twentieth are told")

    def test_a_hundred_at_once(self):
        tasks = [self.s.submit(*APPROVAL, {"amount": 10 + 100 * i, "requester": "ada", "purpose": "p"}, base=self.s.process("orchestrator", i % 2)["rest"])
                 for i in range(100)]
        for i, task in enumerate(tasks):
            done = self.s.wait(task)
            self.assertEqual((done["status"], done["total_steps"]), ("complete", 5 if 10 + 100 * i >= 5000 else 4))
