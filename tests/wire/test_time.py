# SPDX-License-Identifier: MIT
"""run_at, deadline and timeout_seconds of a submission: what is taken, what is refused and how, and what the answers hold."""
import json
import unittest
import uuid

from lib.system import System
from test_rest import curl, request


class Times(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(workers=1)
        cls.addClassCleanup(cls.s.stop)

    def submit(self, **fields):
        return curl(self.s.rest + "/v1/tasks", data=json.dumps(request(**fields)).encode())

    def refused(self, status, *words, **fields):
        before = self.s.value("SELECT count(*) FROM tasker.tasks")
        answer = self.submit(**fields)
        self.assertEqual(answer.status, status, answer.body)
        for word in words:
            self.assertIn(word, answer.body.decode())
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.tasks"), before)

    def ahead(self, days):
        return self.s.value("SELECT tasker.time_text(clock_timestamp() + $1 * interval '1 day', 'zoned')", days)

    def test_what_is_no_time(self):
        for field in ("run_at", "deadline"):
            for text in ("", "tomorrow", "2030-01-01", "2030-01-01T00:00:00", "2030-13-01T00:00:00Z", "2030-01-01T00:00:00+99:00", "9" * 4000):
                self.refused(400, f"{field}: must be a time with a zone", **{field: text})
            for value in (5, True, [], {}):
                self.refused(422, f"{field}: invalid type", **{field: value})
            self.refused(400, f"{field}: may be 366 days ahead at most", **{field: self.ahead(400)})
            self.refused(400, f"{field}: may be 366 days ahead at most", **{field: "2262-01-01T00:00:00Z"})

    def test_deadlines_that_make_no_sense(self):
        self.refused(400, "deadline: must be to come, found 2020-01-01T00:00:00Z", deadline="2020-01-01T00:00:00Z")
        self.refused(400, "deadline: must be after run_at", run_at=self.ahead(2), deadline=self.ahead(1))

    def test_timeouts_out_of_range(self):
        for value in (0, -1, 31622401, 2**40):
            self.refused(400, "timeout_seconds: must be between 1 and 31622400, found ", timeout_seconds=value)
        for value in ("5", 1.5, True, []):
            self.refused(422, "timeout_seconds: invalid type", timeout_seconds=value)

    def test_what_happens_then(self):
        self.refused(400, "on_timeout: must be error or cancel, found 'retry'", on_timeout="retry")
        self.refused(422, "on_timeout: invalid type", on_timeout=5)
        for n, (value, state) in enumerate((("error", "error"), ("cancel", "cancelled"))):
            task = self.s.submit("tests", "chain", {"sleep_ms": 60000}, timeout_seconds=1, on_timeout=value)
            self.assertEqual(self.s.call("GET", f"/v1/tasks/{task}").json["on_timeout"], value)
            self.assertEqual(self.s.wait(task)["status"], state)

    def test_start_now(self):
        why = {"by": "kim", "reason": "the file is there"}
        task = self.s.submit("tests", "chain", {}, run_at=self.ahead(1))
        answer = self.s.call("POST", f"/v1/tasks/{task}/start", why)
        self.assertEqual((answer.status, answer.json["held"]), (200, []))
        self.assertIsNotNone(answer.json["started_at"])
        self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertEqual(self.s.call("POST", f"/v1/tasks/{task}/start", why).status, 400, "it has ended")
        self.assertEqual(self.s.call("POST", f"/v1/tasks/{task}/start", {}).status, 422)
        tag = str(uuid.uuid4())
        later = [self.s.submit("tests", "chain", {}, run_at=self.ahead(1), tags=[tag]) for _ in range(3)]
        ask = {**why, "action": "start", "filter": {"tag": tag}}
        self.assertEqual(len(self.s.call("POST", "/v1/tasks/bulk", {**ask, "dry_run": True}).json["matched"]), 3)
        self.assertEqual(self.s.call("POST", "/v1/tasks/bulk", ask).json["changed"], 3)
        self.assertEqual({self.s.wait(t)["status"] for t in later}, {"complete"})

    def test_what_is_taken(self):
        for fields in ({"run_at": None, "deadline": None, "timeout_seconds": None}, {"run_at": "2020-01-01T00:00:00Z"}, {"timeout_seconds": 31622400},
                       {"run_at": self.ahead(366)}, {"deadline": self.ahead(1).replace("Z", "+00:00")}):
            answer = self.submit(context={"taken": json.dumps(fields)}, **fields)
            self.assertEqual(answer.status, 200, (fields, answer.body))
            shown = self.s.call("GET", "/v1/tasks/" + json.loads(answer.body)["task_uuid"]).json
            self.assertEqual(shown["run_at"] is None, fields.get("run_at") is None)
            self.assertEqual(shown["deadline"] is None, not (fields.get("deadline") or fields.get("timeout_seconds")))
            self.assertIsNone(shown["message"])

    def test_the_answer_of_a_later_start(self):
        answer = json.loads(self.submit(context={"later": 1}, run_at=self.ahead(1)).body)
        self.assertEqual((answer["status"], answer["in_progress_steps"], answer["execution_status"]), ("waiting_for_dependencies", 0, "waiting_for_dependencies"))

    def test_bad_keys_of_templates(self):
        for line, words in (("on_timeout: retry", "on_timeout must be one of error, cancel"), ("timeout_seconds: 0", "timeout_seconds must be between 1 and 2592000"),
                            ("queue_timeout_seconds: 604801", "between 1 and 604800"), ("on_queue_timeout: again", "one of retry, error, cancel")):
            answer = self.s.call("POST", "/v1/templates", f"name: bad\nnamespace_name: wire_bad\nversion: 1.0.0\n{line}\nsteps: [{{name: a, handler: {{callable: b}}}}]\n".encode(),
                                 {"Content-Type": "application/yaml"})
            self.assertEqual(answer.status, 400, answer)
            self.assertIn(words, answer.body.decode())
