# SPDX-License-Identifier: MIT
"""Contexts and results that do not fit the schemas of their template: refused with their places, and never retried."""
import json
import os
import tempfile
import unittest

from lib.system import OWN, System, tasker

GOOD = {"order": {"id": 1, "items": [{"sku": "AB-1"}]}}


class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)

    def submit(self, context):
        return self.s.call("POST", "/v1/tasks", {"name": "typed", "namespace": "tests", "version": "1.0.0", "context": context, "initiator": "e2e",
                                                 "source_system": "tests", "reason": "schema"})

    def test_a_context_that_does_not_fit_is_400_with_every_place(self):
        before = self.s.value("SELECT count(*) FROM tasker.tasks")
        answer = self.submit({"order": {"id": "1", "items": [{"sku": "AB-1"}, {"sku": "ab"}, {}]}, "x": 1})
        self.assertEqual((answer.status, answer.json["error"]["code"]), (400, "BAD_REQUEST"))
        self.assertEqual(answer.json["error"]["message"],
                         "Invalid task configuration: context does not fit the template's input_schema: /order/id: must be integer, found string; "
                         "/order/items/1/sku: must match the pattern of its schema; /order/items/2: 'sku' is missing; /x: is not a key its schema knows")
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.tasks"), before)
        self.assertGreaterEqual(self.s.metric(self.s.rest, 'tasker_orchestrator_tasks_refused_total{reason="schema"}'), 1)

    def test_a_schema_holds_from_memory_and_from_the_database(self):
        """The first look-up reads the template, later ones remember it; replaced, the new schema counts."""
        def yaml(kind):
            return (f"name: kinds\nnamespace_name: tests\nversion: 1.0.0\ninput_schema: {{properties: {{a: {{type: {kind}}}}}}}\n"
                    "steps: [{name: one, handler: {callable: test.work}}]\n").encode()

        def submit(value):
            return self.s.call("POST", "/v1/tasks", {"name": "kinds", "namespace": "tests", "version": "1.0.0", "context": {"a": value}, "initiator": "e2e",
                                                     "source_system": "tests", "reason": "schema", "identity_strategy": "always_unique"}).status

        headers = {"Content-Type": "application/yaml"}
        self.assertEqual(self.s.call("POST", "/v1/templates", yaml("integer"), headers).status, 201)
        self.assertEqual([submit("x"), submit("x"), submit(1)], [400, 400, 200])
        self.assertEqual(self.s.call("POST", "/v1/templates?replace=true", yaml("string"), headers).status, 200)
        self.assertEqual([submit(1), submit("x")], [400, 200])

    def test_a_result_that_does_not_fit_is_a_permanent_error(self):
        answer = self.submit(GOOD)
        self.assertEqual(answer.status, 200, answer.body)
        task = self.s.wait(answer.json["task_uuid"])
        steps = {s["name"]: s for s in self.s.call("GET", f"/v1/tasks/{task['task_uuid']}/workflow_steps").json}
        self.assertEqual((task["status"], steps["fits"]["current_state"], steps["misfits"]["current_state"]), ("blocked_by_failures", "complete", "error"))
        self.assertEqual(steps["misfits"]["attempts"], 1, "the same again would give the same again")
        error = steps["misfits"]["results"]["error"]
        self.assertEqual((error["error_type"], error["retryable"]), ("result_schema_violation", False))
        self.assertEqual(error["message"], "the result does not fit the step's result_schema: /: 'total' is missing; /step: must be \"something else\"")
        worker = self.s.endpoints["workers"][0]["rest"]
        self.assertGreaterEqual(self.s.metric(worker, "tasker_worker_results_misfit_total"), 1)
        self.s.doctor()

    def test_the_command_line_checks_a_context_without_a_server(self):
        path = os.path.join(OWN, "typed.yaml")
        good = tasker("template", "validate", path, "--context", json.dumps(GOOD))
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        bad = tasker("template", "validate", path, "--context", '{"order": {"id": 0, "items": []}}')
        self.assertEqual(bad.returncode, 1)
        self.assertIn("typed.yaml: the context does not fit input_schema: /order/id: must be at least 1, found 0; /order/items: must have at least 1 items",
                      bad.stdout)

    def test_a_broken_schema_is_refused_with_its_line(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
            f.write("name: broken\nnamespace_name: tests\nversion: 1.0.0\nsteps:\n  - name: one\n    handler: {callable: test.work}\n    result_schema:\n"
                    "      properties:\n        n: {pattern: \"(\"}\n")
            f.flush()
            done = tasker("template", "validate", f.name)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, r":9:\d+: steps/0/result_schema: regular expression '\(' is not one: missing closing parenthesis, at byte 1")
            with open(f.name, "rb") as body:
                answer = self.s.call("POST", "/v1/templates?file=broken.yaml", body.read(), {"Content-Type": "application/yaml"})
        self.assertEqual(answer.status, 400)
        self.assertIn("broken.yaml:9:", answer.body.decode())
