# SPDX-License-Identifier: MIT
"""Logs: every line of every service is one JSON object, and a task can be followed through all of them by its ids."""
import unittest
import uuid

from lib.system import System, eventually


class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(env={"TASKER_LOG_LEVEL": "debug"})
        cls.addClassCleanup(cls.s.stop)

    def lines(self, service):
        return self.s.log_lines(f"{service}-1")

    def test_every_line_is_json_with_time_level_service_and_event(self):
        self.s.run("tests", "diamond", {})
        for service in ("orchestrator", "worker", "cache"):
            for line in self.lines(service):
                self.assertLessEqual({"time", "level", "service", "event"}, set(line), line)
                self.assertIn(line["level"], ("error", "warn", "info", "debug"))

    def test_a_task_is_followed_by_its_ids(self):
        correlation = str(uuid.uuid4())
        task = self.s.run("tests", "diamond", {}, correlation_id=correlation)
        steps = {s["step_uuid"] for s in task["by_name"].values()}
        for service, events in (("orchestrator", {"task.created": None, "step.assigned": steps}), ("worker", {"step.succeeded": steps})):
            for event, of in events.items():
                def found():
                    return [x for x in self.lines(service) if x["event"] == event and x.get("task_uuid") == task["task_uuid"]]
                eventually(lambda: len(found()) == len(of or [0]), what=f"{service} says {event}")
                self.assertEqual({x["correlation_id"] for x in found()}, {correlation})
                if of:
                    self.assertEqual({x["step_uuid"] for x in found()}, of)

        def settled():
            return [x["outcome"] for x in self.lines("orchestrator") if x["event"] == "rows.outcome" and x["task_uuid"] == task["task_uuid"]].count("settled")
        eventually(lambda: settled() == 4, what="the orchestrator says four times settled")

    def test_a_failure_names_everything_at_the_usual_level(self):
        task = self.s.run("rust_e2e_linear", "mathematical_sequence", {"even_number": 7})
        line, = eventually(lambda: [x for x in self.lines("worker") if x["event"] == "step.failed" and x["task_uuid"] == task["task_uuid"]], what="the worker says so")
        self.assertEqual((line["level"], line["step_name"], line["error_type"], line["correlation_id"]),
                         ("info", "linear_step_1", "ValidationError", task["correlation_id"]))

    def test_one_correlation_id_everywhere(self):
        """From the request to every row, message, line, answer and filter, and to the tasks that its steps start."""
        correlation, above = str(uuid.uuid4()), str(uuid.uuid4())
        sub = {"name": "chain", "context": {"sleep_ms": 150}}
        reply = self.s.call("POST", "/v1/tasks", {"namespace": "tests", "name": "sub_task", "version": "1.0.0", "context": {"sub": sub, "at": correlation},
                                                  "initiator": "test", "source_system": "tests", "reason": "follow it", "correlation_id": correlation,
                                                  "parent_correlation_id": above})
        task = reply.json["task_uuid"]
        self.assertEqual((reply.json["correlation_id"], reply.json["parent_correlation_id"]), (correlation, above))

        # The messages: of the child, while it runs.
        child = eventually(lambda: self.s.sql("SELECT t.task_uuid, t.correlation_id, t.parent_correlation_id FROM tasker.sub_tasks st "
                                              "JOIN tasker.tasks t ON t.task_uuid = st.child_uuid WHERE st.parent_uuid = $1", task), what="its sub-task")[0]
        self.assertEqual(child.parent_correlation_id, correlation)
        seen = eventually(lambda: self.s.sql("SELECT DISTINCT message ->> 'correlation_id' AS id FROM pgmq.q_worker_tests_queue "
                                             "WHERE message ->> 'task_uuid' = $1", child.task_uuid), what="a message of it")
        self.assertEqual([m.id for m in seen], [child.correlation_id])

        # The answers: task, list, audit, children, and the result that the step was given.
        done = self.s.wait(task)
        self.assertEqual((done["status"], done["correlation_id"], done["parent_correlation_id"]), ("complete", correlation, above))
        for one, of in ((correlation, task), (child.correlation_id, child.task_uuid)):
            listed = self.s.call("GET", f"/v1/tasks?correlation_id={one}").json["tasks"]
            self.assertEqual([(t["task_uuid"], t["correlation_id"]) for t in listed], [(of, one)])
            for step in self.s.call("GET", f"/v1/tasks/{of}/workflow_steps").json:
                audit = self.s.call("GET", f"/v1/tasks/{of}/workflow_steps/{step['step_uuid']}/audit").json
                self.assertEqual({a["correlation_id"] for a in audit}, {one})
                if step["name"] == "call":
                    self.assertEqual(step["results"]["result"]["sub_task"]["correlation_id"], child.correlation_id)
        self.assertEqual([c["correlation_id"] for c in self.s.call("GET", f"/v1/tasks/{task}/children").json["sub_tasks"]], [child.correlation_id])
        matched = self.s.call("POST", "/v1/tasks/bulk", {"action": "cancel", "by": "kim", "reason": "only look", "dry_run": True, "filter": {"correlation_id": correlation}})
        self.assertEqual((matched.status, matched.json["matched"]), (200, []))  # it has ended

        # The lines of both services, of both tasks.
        for of, one, its_parent in ((task, correlation, above), (child.task_uuid, child.correlation_id, correlation)):
            for service, events in (("orchestrator", {"task.created" if of == task else "sub_task.created", "step.assigned"}), ("worker", {"step.succeeded"})):
                def lines(service=service, of=of):
                    return [x for x in self.lines(service) if x.get("task_uuid") == of and "correlation_id" in x]
                eventually(lambda: events <= {x["event"] for x in lines()}, what=f"{service} says {events}")
                self.assertEqual({x["correlation_id"] for x in lines()}, {one})
                self.assertEqual({x["parent_correlation_id"] for x in lines() if "parent_task_uuid" not in x}, {its_parent})
