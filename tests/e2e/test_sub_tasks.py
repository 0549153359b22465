# SPDX-License-Identifier: MIT
"""Steps that start a task and wait for it: through two orchestrators and two workers, REST in and out."""
import json
import os
import re

from lib.events import KEYS, keys
from lib.replicas import Replicas
from lib.system import eventually, tasker


TELLS = b"""
name: tells
namespace_name: tests
version: 1.0.0
steps:
  - name: call
    handler: {callable: test.sub_task}
    publishes_events:
      - {name: call.over, condition: always, delivery_mode: broadcast}
      - {name: call.failed, condition: failure, delivery_mode: broadcast}
"""

TYPED = b"""
name: typed_call
namespace_name: tests
version: 1.0.0
steps:
  - name: call
    handler: {callable: test.sub_task}
    publishes_events:
      - {name: call.typed, schema: {type: object, required: [sub_task], properties: {results: {type: object}}}}
      - {name: call.mistyped, schema: {type: object, properties: {results: {type: array}}}}
"""


def result(task, step):
    return task["by_name"][step]["results"]["result"]


def error(task, step):
    return task["by_name"][step]["results"]["error"]


class SubTasks(Replicas):
    def children(self, task):
        reply = self.s.call("GET", f"/v1/tasks/{task}/children")
        self.assertEqual((reply.status, reply.json["task_uuid"]), (200, task), reply)
        return reply.json["sub_tasks"]

    def ask(self, sub, **fields):
        return self.s.submit("tests", "sub_task", {"sub": sub}, **fields)

    def wait(self, task):
        """The task at rest, with its steps by name."""
        done = self.s.wait(task)
        done["by_name"] = {s["name"]: s for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json}
        return done

    def figure(self, name):
        """Of both orchestrators together."""
        return sum(self.s.metric(o["rest"], "tasker_orchestrator_" + name) or 0 for o in self.s.endpoints["orchestrators"])

    def get(self, task):
        return self.s.call("GET", f"/v1/tasks/{task}").json

    def waits(self, task):
        """The child that the step `call` of the task waits for."""
        def look():
            found = self.children(task)
            return found and found[-1]["outcome"] is None and found[-1]["task_uuid"]
        return eventually(look, what="its step waits for a sub-task")

    # -- it works --

    def test_the_result_of_the_child_is_that_of_the_step(self):
        task = self.wait(self.ask({"name": "chain", "context": {"n": 1}, "tags": ["inner"], "reason": "for its parent"}, priority=7))
        self.assertEqual((task["status"], {s["current_state"] for s in task["by_name"].values()}), ("complete", {"complete"}))
        (child,) = self.children(task["task_uuid"])
        self.assertEqual((child["namespace"], child["name"], child["status"], child["outcome"], child["step_name"], child["depth"], child["open_steps"]),
                         ("tests", "chain", "complete", "complete", "call", 1, 0))
        told = result(task, "call")
        self.assertEqual(told["sub_task"], {"task_uuid": child["task_uuid"], "namespace": "tests", "name": "chain", "version": "1.0.0", "status": "complete",
                                            "correlation_id": child["correlation_id"]})
        self.assertEqual((told["results"], told["results_complete"]), ({n: {"step": n, "attempt": 1} for n in ("one", "two", "three", "four")}, True))
        self.assertEqual(sorted(result(task, "after")["names"]), ["before", "call"])
        inner = self.get(child["task_uuid"])
        self.assertEqual((inner["parent_task_uuid"], inner["parent_correlation_id"], inner["priority"], inner["initiator"], inner["source_system"],
                          inner["reason"], inner["tags"]),
                         (task["task_uuid"], task["correlation_id"], 7, task["initiator"], "sub_task", "for its parent", ["inner"]))
        self.assertNotEqual(inner["correlation_id"], task["correlation_id"])
        outer = self.get(task["task_uuid"])
        self.assertEqual((outer["parent_task_uuid"], outer["parent_step_uuid"]), (None, None))

    def test_a_sum_by_halves(self):
        for n, tasks in ((1, 1), (2, 1), (3, 2), (16, 15), (33, 32)):
            with self.subTest(n):
                numbers = [i * i for i in range(1, n + 1)]
                task = self.s.run("sub_tasks", "sum_by_halves", {"numbers": numbers})
                self.assertEqual((task["status"], result(task, "add")), ("complete", {"sum": sum(numbers), "tasks": tasks}))
                self.assertEqual(len(self.children(task["task_uuid"])), tasks - 1)

    def test_many_at_once(self):
        tasks = [self.ask({"name": "chain", "context": {"i": i}}, base=self.s.process("orchestrator", i % 2)["rest"]) for i in range(100)]
        children = set()
        for i, task in enumerate(tasks):
            done = self.wait(task)
            self.assertEqual((done["status"], result(done, "call")["results"]["four"]["attempt"]), ("complete", 1))
            children.add(result(done, "call")["sub_task"]["task_uuid"])
        self.assertEqual(len(children), 100)

    def test_no_permit_and_no_lease_while_it_waits(self):
        task = self.ask({"name": "diamond", "context": {"sleep_ms": 60000}})
        child = self.waits(task)
        eventually(lambda: self.s.value("SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = $1 AND state = 'in_progress'", child) == 1)
        self.assertEqual(self.s.value("SELECT count(*) FROM pgmq.q_worker_tests_queue"), 1)
        step = self.s.sql("SELECT state, msg_id FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'call'", task)[0]
        self.assertEqual((step.state, step.msg_id), ("enqueued_for_orchestration", None))
        said = self.s.call("GET", f"/v1/tasks/{task}/explain").json
        self.assertEqual(said["summary"], f"call waits for sub-task {child} (tests/diamond, steps_in_process).")
        self.assertEqual((self.get(task)["status"], self.get(task)["execution_status"]), ("waiting_for_dependencies", "processing"))
        self.s.call("DELETE", f"/v1/tasks/{task}")
        self.wait(child)

    # -- it fails --

    def test_each_attempt_starts_a_task_of_its_own(self):
        task = self.wait(self.ask([{"name": "blocked"}, {"name": "chain", "context": {"again": True}}]))
        self.assertEqual((task["status"], task["by_name"]["call"]["attempts"]), ("complete", 2))
        first, second = self.children(task["task_uuid"])
        self.assertEqual([(c["name"], c["attempt"], c["outcome"], c["status"]) for c in (first, second)],
                         [("blocked", 1, "failed", "error"), ("chain", 2, "complete", "complete")])
        audit = self.s.call("GET", f"/v1/tasks/{task['task_uuid']}/workflow_steps/{task['by_name']['call']['step_uuid']}/audit").json
        failed = next(a for a in audit if not a["success"])["result"]["data"]["error"]
        self.assertEqual((failed["error_type"], failed["context"]["task_uuid"]), ("sub_task_failed", first["task_uuid"]))
        self.assertIn("step middle failed: gave up at attempt 1", failed["message"])

    def test_out_of_attempts_it_blocks_the_parent(self):
        task = self.wait(self.ask({"name": "blocked"}))
        self.assertEqual((task["status"], task["by_name"]["call"]["attempts"], error(task, "call")["error_type"]), ("blocked_by_failures", 3, "sub_task_failed"))
        self.assertEqual([c["status"] for c in self.children(task["task_uuid"])], ["error"] * 3)

    def test_a_failure_in_it_may_be_mended(self):
        task = self.ask({"name": "blocked", "wait_blocked": True})
        child = self.waits(task)
        stuck = self.wait(child)
        self.assertEqual((stuck["status"], self.get(task)["status"]), ("blocked_by_failures", "waiting_for_dependencies"))
        shown = tasker("step", "reset", child, "middle", "--reason", "mended", env={"TASKER_URL": self.s.rest})
        self.assertEqual(shown.returncode, 0, shown)
        done = self.wait(task)
        self.assertEqual((done["status"], done["by_name"]["call"]["attempts"]), ("complete", 1))

    def test_what_cannot_be_started_fails_for_good(self):
        for sub, says in (({"name": "nowhere"}, "no template tests/nowhere in version 1.0.0"), ({"name": ""}, "Task name cannot be empty"),
                          ({"name": "chain", "version": "9.9.9"}, "version 9.9.9"), ({"name": "chain", "context": [1]}, "context: must be an object"),
                          ({"name": "chain", "priority": 1000}, "priority: must be between"), ({"name": "chain", "tags": "x"}, "tags"),
                          ({"namespace": "elsewhere", "name": "chain"}, "elsewhere/chain"),
                          ({"name": "typed", "context": {"order": {"id": "1", "items": []}}},
                           "sub-task: context does not fit input_schema of template tests/typed: /order/id: must be integer, found string; "
                           "/order/items: must have at least 1 items")):
            with self.subTest(str(sub)):
                task = self.wait(self.ask(sub))
                self.assertEqual((task["status"], task["by_name"]["call"]["attempts"], error(task, "call")["error_type"], error(task, "call")["retryable"]),
                                 ("blocked_by_failures", 1, "invalid_sub_task", False))
                self.assertIn(says, error(task, "call")["message"])

    def test_no_task_is_nested_without_end(self):
        task = self.s.submit("tests", "endless", {})
        self.assertEqual(self.wait(task)["status"], "blocked_by_failures")
        below = self.children(task)
        self.assertEqual(max(c["depth"] for c in below), 8)
        deepest = next(c for c in below if c["depth"] == 8)
        failed = self.s.value("SELECT r.result -> 'error' ->> 'message' FROM tasker.step_results r WHERE r.task_uuid = $1 AND NOT r.success", deepest["task_uuid"])
        self.assertEqual(failed, "sub-task: tasks may start tasks 8 deep (sub_task.depth_max), this would be level 9")

    def test_its_events_are_those_of_the_end(self):
        """Nothing is told while it waits; then the orchestrator publishes, and no worker has anything to tell its subscribers."""
        def told():
            return sum(self.s.metric(self.s.process("worker", at)["rest"], "tasker_worker_events_told_total") for at in range(2))
        self.assertIn(self.s.call("POST", "/v1/templates", TELLS, {"Content-Type": "application/yaml"}).status, (200, 201))
        before, own = told(), self.figure("events_own_total")
        task = self.wait(self.s.submit("tests", "tells", {"sub": {"name": "chain", "context": {}}}))
        events = [json.loads(e.message) for e in self.s.sql("SELECT message FROM pgmq.q_tests_domain_events WHERE message #>> '{metadata,task_uuid}' = $1",
                                                            task["task_uuid"])]
        self.assertEqual((task["status"], [e["event_name"] for e in events], told() - before), ("complete", ["call.over"], 0))
        self.assertEqual((events[0]["payload"]["payload"], events[0]["metadata"]["fired_by"]), (result(task, "call"), "orchestrator"))
        self.assertEqual(keys(events[0]), KEYS)
        eventually(lambda: self.figure("events_own_total") - own == 1, what="it is counted, once it is told")

    def test_an_event_that_is_too_large_is_told_and_costs_nothing_else(self):
        """256 KiB; what the sub-task gives is in it as result and as payload."""
        self.assertIn(self.s.call("POST", "/v1/templates", TELLS, {"Content-Type": "application/yaml"}).status, (200, 201))
        lost = 'events_failed_total{reason="too_large"}'
        before, payload = self.figure(lost), {"journal": self.s.journal, "text": ["x" * 5000] * 30}
        task = self.wait(self.s.submit("tests", "tells", {"sub": {"name": "events", "context": {"payload": payload}}}))
        self.assertEqual(task["status"], "complete")
        eventually(lambda: self.figure(lost) - before == 1, what="it is counted, once the step is settled")
        eventually(lambda: re.search(r'"event":"event.failed".*"reason":"too_large","namespace":"tests"', self.s.logs(400)), what="it is in the log")

    def test_an_event_whose_payload_does_not_fit_its_schema_is_not_published(self):
        self.assertIn(self.s.call("POST", "/v1/templates", TYPED, {"Content-Type": "application/yaml"}).status, (200, 201))
        lost, own = 'events_failed_total{reason="schema"}', "events_own_total"
        before = self.figure(lost), self.figure(own)
        task = self.wait(self.s.submit("tests", "typed_call", {"sub": {"name": "chain", "context": {}}}))
        self.assertEqual(task["status"], "complete")
        eventually(lambda: (self.figure(lost) - before[0], self.figure(own) - before[1]) == (1, 1), 20, "both are looked at")
        self.assertEqual(self.s.sql("SELECT message ->> 'event_name' AS name FROM pgmq.q_tests_domain_events WHERE message #>> '{metadata,task_uuid}' = $1", task["task_uuid"]),
                         [{"name": "call.typed"}])
        self.assertRegex(self.s.logs(400), r"/results: must be array, found object.*call\.mistyped|call\.mistyped.*/results: must be array, found object")
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.unchecked_events"), 0)

    # -- people --

    def test_cancel_goes_down(self):
        journal = self.s.journal
        task = self.ask({"name": "sub_task", "context": {"sub": {"name": "diamond", "context": {"sleep_ms": 60000, "journal": journal}}}})
        eventually(lambda: len(self.children(task)) == 2, what="two below")
        inner, deep = (c["task_uuid"] for c in self.children(task))
        eventually(lambda: os.path.exists(journal) and deep in open(journal, encoding="utf-8").read(), what="its handler runs")
        self.assertEqual(self.s.call("DELETE", f"/v1/tasks/{task}").json["status"], "cancelled")
        eventually(lambda: [self.get(t)["status"] for t in (inner, deep)] == ["cancelled"] * 2, what="all of them are cancelled")
        eventually(lambda: f"cancelled {deep}" in open(journal, encoding="utf-8").read(), what="its handler is told")
        self.assertEqual([c["outcome"] for c in self.children(task)], ["called_off"] * 2)

    def test_a_child_cancelled_by_itself_fails_the_step(self):
        task = self.ask({"name": "diamond", "context": {"sleep_ms": 60000}})
        child = self.waits(task)
        self.s.call("DELETE", f"/v1/tasks/{child}")
        done = self.wait(task)
        self.assertEqual((done["status"], error(done, "call")["error_type"], done["by_name"]["call"]["attempts"]), ("blocked_by_failures", "sub_task_cancelled", 1))
        self.s.call("DELETE", f"/v1/tasks/{task}")

    def test_a_step_completed_by_hand_needs_its_child_no_more(self):
        task = self.ask({"name": "diamond", "context": {"sleep_ms": 60000}})
        child = self.waits(task)
        shown = tasker("step", "resolve", task, "call", "--reason", "known", env={"TASKER_URL": self.s.rest})
        self.assertEqual(shown.returncode, 0, shown)
        eventually(lambda: self.get(child)["status"] == "cancelled", what="its child is cancelled")
        self.assertEqual(self.wait(task)["status"], "complete")

    # -- sight --

    def test_the_tree_on_the_command_line(self):
        task = self.s.run("sub_tasks", "sum_by_halves", {"numbers": [1, 2, 3]})
        (child,) = self.children(task["task_uuid"])
        shown = tasker("task", "tree", task["task_uuid"], env={"TASKER_URL": self.s.rest, "NO_COLOR": "1"})
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        lines = shown.stdout.splitlines()
        self.assertEqual(len(lines), 2, shown.stdout)
        self.assertIn(task["task_uuid"], lines[0])
        self.assertRegex(lines[1], rf"^└─ ✔ sum_by_halves {child['task_uuid']}: complete.*left")
        got = tasker("task", "get", child["task_uuid"], env={"TASKER_URL": self.s.rest})
        self.assertIn(task["task_uuid"], got.stdout)

    def test_timeline_counts_the_wait_as_the_attempts(self):
        task = self.wait(self.ask({"name": "chain", "context": {"sleep_ms": 50}}))
        attempts = [a for a in self.s.call("GET", f"/v1/tasks/{task['task_uuid']}/timeline").json["attempts"] if a["step"] == "call"]
        self.assertEqual([(a["attempt"], a["outcome"]) for a in attempts], [(1, "complete")])
        self.assertGreater(attempts[0]["settled_ms"] - attempts[0]["dispatched_ms"], 200)

    def test_metrics(self):
        """Of all orchestrators together what is in the database, since they began."""
        self.wait(self.ask({"name": "chain", "context": {"m": 1}}))
        counts = self.s.sql("SELECT count(*) AS started, count(outcome) AS ended FROM tasker.sub_tasks")[0]
        self.assertGreater(counts.ended, 0)
        eventually(lambda: (self.figure("sub_tasks_started_total"), self.figure("sub_tasks_ended_total")) == (counts.started, counts.ended), what="every one is counted once")
