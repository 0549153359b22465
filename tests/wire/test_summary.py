# SPDX-License-Identifier: MIT
"""GET /v1/tasks/{uuid}/summary, and lists by what is in a context: shapes of the contract, and what is refused."""
import unittest
import urllib.parse
import uuid

from lib.system import System, tasker

T1 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"
NAIVE = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?$"
TASK = {"task_uuid", "name", "namespace", "version", "status", "created_at", "updated_at", "completed_at", "initiator", "source_system", "reason", "correlation_id",
        "total_steps", "pending_steps", "in_progress_steps", "completed_steps", "failed_steps", "completion_percentage", "health_status", "execution_status",
        "recommended_action"}
STEP = {"step_uuid", "name", "current_state", "created_at", "completed_at", "last_attempted_at", "attempts", "max_attempts", "dependencies_satisfied",
        "retry_eligible", "error"}


class Summary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)

    def test_of_a_complete_task(self):
        task = self.s.run("tests", "chain", {})
        answer = self.s.call("GET", f"/v1/tasks/{task['task_uuid']}/summary")
        self.assertEqual(answer.status, 200)
        body = answer.json
        self.assertEqual(set(body), {"task", "template", "steps", "dlq", "links"})
        self.assertEqual(set(body["task"]), TASK)
        self.assertEqual({k: body["task"][k] for k in TASK}, {k: task[k] for k in TASK})
        self.assertRegex(body["task"]["completed_at"], T1)
        self.assertEqual(body["template"]["steps"][1], {"name": "two", "step_type": "standard", "handler": "test.work", "dependencies": ["one"], "retryable": True,
                                                        "max_attempts": 5})
        self.assertEqual([s["name"] for s in body["steps"]], ["one", "two", "three", "four"])
        for step in body["steps"]:
            self.assertEqual(set(step), STEP)
            for key in ("created_at", "completed_at", "last_attempted_at"):
                self.assertRegex(step[key], NAIVE)
            self.assertEqual((step["current_state"], step["attempts"], step["error"]), ("complete", 1, None))
        self.assertEqual(body["dlq"], {"in_dlq": False, "dlq_reason": None, "resolution_status": None})
        uuid_ = task["task_uuid"]
        self.assertEqual(body["links"], {"task": f"/v1/tasks/{uuid_}", "steps": f"/v1/tasks/{uuid_}/workflow_steps", "dlq": "/v1/dlq"})

    def test_of_a_failed_task_says_what_went_wrong(self):
        answer = self.s.call("POST", "/v1/tasks", {"name": "typed", "namespace": "tests", "version": "1.0.0", "context": {"order": {"id": 1, "items": [{"sku": "AB-1"}]}},
                                                   "initiator": "wire", "source_system": "tests", "reason": "summary"})
        self.s.wait(answer.json["task_uuid"])
        body = self.s.call("GET", f"/v1/tasks/{answer.json['task_uuid']}/summary").json
        self.assertEqual((body["task"]["status"], body["task"]["health_status"], body["task"]["completed_at"]), ("blocked_by_failures", "blocked", None))
        self.assertEqual({s["name"]: s["error"] for s in body["steps"]},
                         {"fits": None, "misfits": {"error_type": "result_schema_violation", "retryable": False, "status_code": None}})
        shown = tasker("task", "summary", answer.json["task_uuid"], "--url", self.s.rest)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("blocked_by_failures, 1 of 2 steps, by wire (summary)", shown.stdout)
        self.assertRegex(shown.stdout, r"misfits +error +1 of 3 +result_schema_violation \(for good\)")

    def test_of_nobody(self):
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{uuid.uuid4()}/summary").status, 404)
        self.assertEqual(self.s.call("GET", "/v1/tasks/nonsense/summary").status, 400)

    def test_lists_by_context_and_parent(self):
        mark, parent = str(uuid.uuid4()), str(uuid.uuid4())
        first = self.s.submit("tests", "chain", {"order": {"mark": mark}}, parent_correlation_id=parent)
        second = self.s.submit("tests", "chain", {"order": {"mark": "other"}})
        query = urllib.parse.urlencode({"cursor": "", "context_path": "$.order.mark", "context_value": mark})
        page = self.s.call("GET", f"/v1/tasks?{query}").json
        self.assertEqual([t["task_uuid"] for t in page["tasks"]], [first])
        self.assertEqual(set(page["pagination"]), {"per_page", "has_next", "has_previous", "next_cursor"})
        both = self.s.call("GET", "/v1/tasks?cursor=&context_path=" + urllib.parse.quote("$.order.mark")).json["tasks"]
        self.assertLessEqual({first, second}, {t["task_uuid"] for t in both})
        self.assertEqual([t["task_uuid"] for t in self.s.call("GET", f"/v1/tasks?parent_correlation_id={parent}").json["tasks"]], [first])
        done = tasker("task", "list", "--context-path", "$.order.mark", "--context-value", mark, "--json", "--url", self.s.rest)
        self.assertIn(first, done.stdout)
        self.assertNotIn(second, done.stdout)

    def test_what_is_refused(self):
        for query, says in (({"context_path": "$.a"}, "context_path goes with cursor"), ({"context_value": "x"}, "context_value goes with context_path"),
                            ({"cursor": "", "context_path": "a b"}, "must be a JSON path"), ({"cursor": "", "context_path": "$" + ".a" * 300}, "1 to 512 bytes, found 601"),
                            ({"cursor": "", "context_path": "$.a", "context_value": "x" * 1001}, "at most 1000 bytes, found 1001"),
                            ({"parent_correlation_id": "x"}, "parent_correlation_id must be a UUID")):
            answer = self.s.call("GET", "/v1/tasks?" + urllib.parse.urlencode(query))
            self.assertEqual((answer.status, answer.json["error"]["code"]), (400, "BAD_REQUEST"), query)
            self.assertIn(says, answer.json["error"]["message"])
