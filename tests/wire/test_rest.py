# SPDX-License-Identifier: MIT
"""The REST contract of the orchestrator and the worker, asked by curl: routes, statuses, headers, shapes."""
import json
import re
import subprocess
import unittest
import uuid

from lib.system import SLOW, System, eventually

T1 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3,9})?Z$")
T3 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
TASK_KEYS = {"task_uuid", "name", "namespace", "version", "status", "created_at", "updated_at", "completed_at", "context", "initiator",
             "source_system", "reason", "priority", "tags", "correlation_id", "parent_correlation_id", "total_steps", "pending_steps",
             "in_progress_steps", "completed_steps", "failed_steps", "ready_steps", "execution_status", "recommended_action",
             "completion_percentage", "health_status", "steps"}
OUR_TASK_KEYS = {"held", "generation", "template_digest", "run_at", "started_at", "deadline", "on_timeout", "message", "parent_task_uuid", "parent_step_uuid"}
STEP_KEYS = {"step_uuid", "task_uuid", "name", "created_at", "updated_at", "completed_at", "results", "current_state",
             "dependencies_satisfied", "retry_eligible", "ready_for_execution", "total_parents", "completed_parents", "attempts",
             "max_attempts", "last_failure_at", "next_retry_at", "last_attempted_at"}


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        while self.body.startswith(b"HTTP/1.1 ") and head.split()[1] == b"100":
            head, _, self.body = self.body.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]


def curl(url, *args, data=None):
    """One request with curl, its answer taken apart here."""
    if data is not None:
        args += ("-H", "Content-Type: application/json", "-H", "Expect:", "--data-binary", "@-")
    done = subprocess.run(["curl", "-sS", "-i", "--http1.1", "--max-time", str(60 * SLOW), *args, url], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return Answer(done.stdout)


def request(**over):
    body = {"name": "chain", "namespace": "tests", "version": "1.0.0", "context": {"run": str(uuid.uuid4())}, "initiator": "wire",
            "source_system": "tests", "reason": "contract", **over}
    return {k: v for k, v in body.items() if v is not ...}


class Rest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)

    def get(self, path, *args):
        return curl(self.s.rest + path, *args)

    def post(self, body, *args, path="/v1/tasks"):
        return curl(self.s.rest + path, *args, data=body if isinstance(body, bytes) else json.dumps(body).encode())

    # -- submitting --

    def test_a_task_is_created_with_200_and_the_whole_shape(self):
        answer = self.post(request(priority=7, tags=["a", "b"], parent_correlation_id=str(uuid.uuid4())))
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/json"))
        task = answer.json
        self.assertEqual(set(task), TASK_KEYS)
        self.assertEqual((task["total_steps"], task["completed_steps"], task["priority"], task["tags"], task["completed_at"]), (4, 0, 7, ["a", "b"], None))
        self.assertRegex(task["created_at"], T1)
        self.assertEqual(uuid.UUID(task["task_uuid"]).version, 7)
        self.assertEqual(uuid.UUID(task["correlation_id"]).version, 7)

    def test_null_options_of_the_unmodified_client_are_accepted(self):
        answer = self.post(request(options=None, priority=None, parent_correlation_id=None, requested_at="2026-06-01T10:00:00.123456789"))
        self.assertEqual((answer.status, answer.json["priority"]), (200, 0))

    def test_the_same_context_twice_is_one_task(self):
        body = request()
        first, second = self.post(body), self.post(body)
        self.assertEqual((first.status, second.status, second.error["code"]), (200, 409, "CONFLICT"))
        self.assertIn("identity", second.error["message"])
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.tasks WHERE context->>'run' = $1", body["context"]["run"]), 1)
        self.assertEqual(self.post({**body, "context": dict(reversed({**body["context"], "b": 1, "a": 2}.items()))}).status, 200)
        self.assertEqual(self.post({**body, "context": {**body["context"], "a": 2, "b": 1}}).status, 409, "the order of members does not matter")

    def test_what_is_missing_is_named(self):
        for key in ("name", "namespace", "version", "context", "initiator", "source_system", "reason"):
            with self.subTest(key):
                answer = self.post(request(**{key: ...}))
                self.assertIn(answer.status, (400, 422))
                self.assertIn(key, answer.body.decode())

    def test_wrong_types_are_named(self):
        for key, value in (("name", 7), ("priority", "high"), ("priority", 1.5), ("priority", 1 << 40), ("tags", "a"), ("tags", [1]),
                           ("correlation_id", "no-uuid"), ("requested_at", 5)):
            with self.subTest(key=key, value=value):
                answer = self.post(request(**{key: value}))
                self.assertIn(answer.status, (400, 422))
                self.assertIn(key, answer.body.decode())

    def test_empty_and_unknown_names(self):
        self.assertEqual([self.post(request(**{k: ""})).error["message"] for k in ("name", "namespace", "version")],
                         ["Task name cannot be empty", "Namespace cannot be empty", "Version cannot be empty"])
        answer = self.post(request(name="nobody_knows_this"))
        self.assertEqual((answer.status, answer.error["code"]), (404, "NOT_FOUND"))
        self.assertIn("Task template not found", answer.error["message"])
        self.assertEqual(self.post(request(version="9.9.9")).status, 404)

    # -- reading --

    def test_steps_list_single_and_audit(self):
        task = self.post(request()).json["task_uuid"]
        done = self.get(f"/v1/tasks/{task}?wait=30s").json
        self.assertEqual((done["status"], done["execution_status"], done["completion_percentage"], done["completed_steps"]),
                         ("complete", "all_complete", 100, 4))
        steps = self.get(f"/v1/tasks/{task}/workflow_steps").json
        self.assertEqual([s["name"] for s in steps], ["one", "two", "three", "four"])
        for step in steps:
            self.assertLessEqual(STEP_KEYS, set(step))
            for key in ("created_at", "updated_at", "completed_at", "last_attempted_at"):
                self.assertRegex(step[key], T3, key)
        one = self.get(f"/v1/tasks/{task}/workflow_steps/{steps[0]['step_uuid']}").json
        self.assertEqual((one["name"], one["results"]["success"], one["results"]["result"]), ("one", True, {"step": "one", "attempt": 1}))
        audit = self.get(f"/v1/tasks/{task}/workflow_steps/{steps[0]['step_uuid']}/audit").json
        self.assertEqual([(a["step_name"], a["success"]) for a in audit], [("one", True)])

    def test_unknown_things_are_404_and_bad_ids_400(self):
        nobody, task = str(uuid.uuid4()), self.post(request()).json["task_uuid"]
        for path in (f"/v1/tasks/{nobody}", f"/v1/tasks/{task}/workflow_steps/{nobody}", "/v1/templates/tests/chain/9.9.9"):
            answer = self.get(path)
            self.assertEqual((path, answer.status, answer.error["code"]), (path, 404, "NOT_FOUND"))
        for path in ("/v1/tasks/17", f"/v1/tasks/{task}x", "/v1/tasks/nonsense/workflow_steps"):
            answer = self.get(path)
            self.assertEqual((path, answer.status), (path, 400))
            self.assertIn(answer.error["code"], ("INVALID_UUID", "BAD_REQUEST"))

    def test_lists_are_paged_and_filtered(self):
        run = [self.post(request(initiator="pager")).json["task_uuid"] for _ in range(5)]
        for task in run:
            self.get(f"/v1/tasks/{task}?wait=30s")
        page = self.get("/v1/tasks?initiator=pager&per_page=2&page=1").json
        self.assertEqual(([t["task_uuid"] for t in page["tasks"]]), list(reversed(run))[:2])
        self.assertEqual((page["pagination"]["total_count"], page["pagination"]["total_pages"], page["pagination"]["has_next"]), (5, 3, True))
        self.assertEqual(len(self.get("/v1/tasks?initiator=pager&per_page=2&page=3").json["tasks"]), 1)
        self.assertEqual(self.get("/v1/tasks?namespace=nobody").json["tasks"], [])
        self.assertEqual(self.get("/v1/tasks?status=nonsense").json["tasks"], [])
        for bad in ("per_page=0", "per_page=1000", "page=0", "page=x"):
            self.assertEqual((bad, self.get(f"/v1/tasks?{bad}").status), (bad, 400))

    def test_lists_by_cursor_and_more_filters(self):
        tag, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        run = [self.post(request(tags=[tag], correlation_id=correlation)).json for _ in range(5)]
        newest = [t["task_uuid"] for t in reversed(run)]
        first = self.get(f"/v1/tasks?tag={tag}&per_page=3&cursor=").json
        self.assertEqual((set(first["tasks"][0]) - OUR_TASK_KEYS, first["pagination"]["has_next"]), (TASK_KEYS, True))
        rest = self.get(f"/v1/tasks?tag={tag}&per_page=3&cursor={first['pagination']['next_cursor']}").json
        self.assertEqual([t["task_uuid"] for page in (first, rest) for t in page["tasks"]], newest)
        self.assertEqual((rest["pagination"]["has_next"], rest["pagination"]["next_cursor"]), (False, None))
        for query, count in ((f"correlation_id={correlation}", 5), (f"tag={tag}&name=chain&version=1.0.0", 5), (f"tag={tag}&name=diamond", 0),
                             (f"tag={tag}&created_after={run[0]['created_at']}", 5), (f"tag={tag}&created_before={run[2]['created_at']}", 2),
                             (f"tag={tag}&created_after={run[1]['created_at']}&created_before={run[3]['created_at']}", 2)):
            self.assertEqual((query, self.get(f"/v1/tasks?{query}").json["pagination"]["total_count"]), (query, count))
        for bad in ("cursor=x", "cursor=&page=1", "correlation_id=x", "created_after=yesterday", "created_before="):
            answer = self.get(f"/v1/tasks?{bad}")
            self.assertEqual((bad, answer.status), (bad, 400))
            self.assertIn(bad.split("=")[0], answer.error["message"])

    def test_waiting_is_event_driven_and_bounded(self):
        task = self.post(request(context={"sleep_ms": 150, "run": str(uuid.uuid4())})).json["task_uuid"]
        before = self.s.metric(self.s.rest, "tasker_orchestrator_waiters")
        self.assertEqual(before, 0)
        short = self.get(f"/v1/tasks/{task}?wait=50ms")
        self.assertEqual((short.status, short.json["status"]), (200, "steps_in_process"))
        self.assertEqual(self.get(f"/v1/tasks/{task}?wait=30s").json["status"], "complete")
        for bad in ("-1s", "soon", ""):
            answer = self.get(f"/v1/tasks/{task}?wait={bad}")
            self.assertEqual((bad, answer.status), (bad, 400))
            self.assertIn("wait", answer.error["message"])

    # -- cancelling --

    def test_cancelling_tells_the_running_step(self):
        task = self.post(request(context={"sleep_ms": 60000, "run": str(uuid.uuid4()), "journal": self.s.journal})).json["task_uuid"]

        def journal():
            try:
                with open(self.s.journal, encoding="utf-8") as f:
                    return [line.split() for line in f if task in line]
            except FileNotFoundError:
                return []
        eventually(lambda: any(w[0] == "begin" for w in journal()), 20, "the step runs")
        answer = curl(f"{self.s.rest}/v1/tasks/{task}", "-X", "DELETE")
        self.assertEqual((answer.status, answer.json["status"]), (200, "cancelled"))
        eventually(lambda: any(w[0] == "cancelled" for w in journal()), 20, "the handler was told")
        self.assertEqual({s["current_state"] for s in self.get(f"/v1/tasks/{task}/workflow_steps").json}, {"cancelled"})
        again = curl(f"{self.s.rest}/v1/tasks/{task}", "-X", "DELETE")
        self.assertEqual(again.status, 400)
        self.s.doctor()

    # -- templates --

    def test_templates(self):
        listing = self.get("/v1/templates?namespace=tests").json
        self.assertIn("chain", [t["name"] for t in listing["templates"]])
        self.assertEqual({t["namespace"] for t in listing["templates"]}, {"tests"})
        one = self.get("/v1/templates/tests/chain/1.0.0").json
        self.assertEqual([(s["name"], s["dependencies"]) for s in one["steps"]],
                         [("one", []), ("two", ["one"]), ("three", ["two"]), ("four", ["three"])])

    # -- service --

    def test_wrong_methods_say_what_is_allowed(self):
        for path, method, allowed in (("/v1/tasks", "DELETE", {"GET", "HEAD", "POST"}), ("/health", "POST", {"GET", "HEAD"})):
            answer = curl(self.s.rest + path, "-X", method)
            self.assertEqual((path, answer.status, answer.body), (path, 405, b""))
            self.assertLessEqual({"GET"}, set(re.split(r",\s*", answer.headers["allow"])) & allowed)

    def test_every_answer_carries_a_request_id(self):
        ids = [self.get(path).headers["x-request-id"] for path in ("/health", "/nowhere", "/v1/tasks")]
        self.assertEqual([uuid.UUID(i).version for i in ids], [4, 4, 4])
        self.assertEqual(len(set(ids)), 3)

    def test_health(self):
        for service, kind in ((self.s.rest, "orchestrator"), (self.s.endpoints["workers"][0]["rest"], "worker"), (self.s.endpoints["caches"][0]["rest"], "cache")):
            for path in ("/health", "/health/live", "/health/ready", "/health/detailed"):
                with self.subTest(kind=kind, path=path):
                    answer = curl(service + path)
                    self.assertEqual(answer.status, 200, answer.body)
                    self.assertIn(answer.json["status"], ("healthy", "alive", "ready"))

    def test_config_masks_secrets(self):
        for service in (self.s.rest, self.s.endpoints["caches"][0]["rest"]):
            text = curl(service + "/config").body.decode()
            self.assertNotIn("postgresql://tasker@", text)
            json.loads(text)

    def test_head_and_options(self):
        answer = curl(self.s.rest + "/health", "--head")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(curl(self.s.rest + "/v1/tasks", "-X", "OPTIONS").status // 100, 2)

    def test_worker_templates(self):
        base = self.s.endpoints["workers"][0]["rest"]
        self.assertEqual(curl(base + "/v1/templates").status, 200)
        one = curl(base + "/v1/templates/tests/chain/1.0.0")
        self.assertEqual(one.status, 200)
        self.assertEqual(curl(base + "/v1/templates/tests/nobody_has_this/1.0.0").status, 404)
