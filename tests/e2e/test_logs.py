# SPDX-License-Identifier: MIT
"""Logs: every line of every service is one JSON object, and a task can be followed through all of them by its ids."""
import json
import os
import unittest
import uuid

from lib.system import System, eventually


class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(env={"TASKER_LOG_LEVEL": "debug"})
        cls.addClassCleanup(cls.s.stop)

    def lines(self, service):
        with open(os.path.join(self.s.dir, "logs", f"{service}-1.log"), encoding="utf-8") as f:
            return [json.loads(line) for line in f.read().splitlines()]

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
        outcomes = [x["outcome"] for x in self.lines("orchestrator") if x["event"] == "rows.outcome" and x["task_uuid"] == task["task_uuid"]]
        self.assertEqual(outcomes.count("settled"), 4)

    def test_a_failure_names_everything_at_the_usual_level(self):
        task = self.s.run("rust_e2e_linear", "mathematical_sequence", {"even_number": 7})
        line, = [x for x in self.lines("worker") if x["event"] == "step.failed" and x["task_uuid"] == task["task_uuid"]]
        self.assertEqual((line["level"], line["step_name"], line["error_type"], line["correlation_id"]),
                         ("info", "linear_step_1", "ValidationError", task["correlation_id"]))
