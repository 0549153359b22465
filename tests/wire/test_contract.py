# SPDX-License-Identifier: MIT
"""The wire contract of the reference, table by table, as its unmodified client reads it: keys, their types, spellings of times,
status codes, headers and the beginnings of plain-text errors."""
import json
import unittest
import uuid

from lib.system import System
import test_rest
from test_rest import STEP_KEYS, TASK_KEYS, curl, request

T1, T3 = test_rest.T1.pattern, test_rest.T3.pattern
T2 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?$"
T4 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?\+00:00$"
INT, BOOL, STR, NUMBER, LIST, ANY = int, bool, str, (int, float), list, object
CORS = {"access-control-allow-origin": "*", "vary": "origin, access-control-request-method, access-control-request-headers"}

TASK = {"task_uuid": STR, "name": STR, "namespace": STR, "version": STR, "status": STR, "created_at": T1, "updated_at": T1, "context": dict, "initiator": STR,
        "source_system": STR, "reason": STR, "priority": INT, "tags": LIST, "correlation_id": STR, "total_steps": INT, "pending_steps": INT,
        "in_progress_steps": INT, "completed_steps": INT, "failed_steps": INT, "ready_steps": INT, "execution_status": STR, "recommended_action": STR,
        "completion_percentage": NUMBER, "health_status": STR, "steps": LIST}
READINESS = {"workflow_step_uuid": STR, "task_uuid": STR, "named_step_uuid": STR, "name": STR, "current_state": STR, "dependencies_satisfied": BOOL,
             "retry_eligible": BOOL, "ready_for_execution": BOOL, "total_parents": INT, "completed_parents": INT, "attempts": INT, "max_attempts": INT,
             "last_attempted_at": T2}
STEP = {"step_uuid": STR, "task_uuid": STR, "name": STR, "created_at": T3, "updated_at": T3, "completed_at": T3, "results": dict, "current_state": STR,
        "dependencies_satisfied": BOOL, "retry_eligible": BOOL, "ready_for_execution": BOOL, "total_parents": INT, "completed_parents": INT,
        "attempts": INT, "max_attempts": INT}
RESULT = {"step_uuid": STR, "success": BOOL, "result": ANY, "metadata": dict, "status": STR}
METADATA = {"execution_time_ms": INT, "retryable": BOOL, "completed_at": T1, "custom": dict, "context": dict}
AUDIT = {"audit_uuid": STR, "workflow_step_uuid": STR, "transition_uuid": STR, "task_uuid": STR, "recorded_at": T3, "success": BOOL, "step_name": STR, "to_state": STR}
CHECK = {"status": STR, "duration_ms": INT}
INFO = {"version": STR, "environment": STR, "operational_state": STR, "web_database_pool_size": INT, "orchestration_database_pool_size": INT, "circuit_breaker_state": STR}
POOL = {"active_connections": INT, "idle_connections": INT, "max_connections": INT, "utilization_percent": NUMBER, "total_acquires": INT,
        "slow_acquires": INT, "acquire_errors": INT, "average_acquire_time_ms": NUMBER, "max_acquire_time_ms": NUMBER}
READY_CHECKS = ("web_database", "orchestration_database", "circuit_breaker", "orchestration_system", "command_processor")
CONFIG_METADATA = {"timestamp": T1, "environment": STR, "version": STR}
CONFIG_AUTH = {"enabled": BOOL, "verification_method": STR, "jwt_issuer": STR, "jwt_audience": STR, "api_key_header": STR, "api_key_count": INT,
               "strict_validation": BOOL, "allowed_algorithms": LIST}
WORKER_INFO = {"version": STR, "environment": STR, "uptime_seconds": INT, "worker_type": STR, "database_pool_size": INT, "command_processor_active": BOOL,
               "supported_namespaces": LIST}
STEP_DEFINITION = {"name": STR, "handler": dict}


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)
        cls.worker = cls.s.process("worker")["rest"]
        cls.done = cls.s.run("tests", "diamond", {})

    def get(self, path, *args, base=None):
        return curl((base or self.s.rest) + path, *args)

    def shape(self, value, keys, nullable=()):
        """Every key is there with its type; `nullable` ones may be null or left out."""
        for key, kind in keys.items():
            with self.subTest(key):
                self.assertIn(key, value)
                if isinstance(kind, str):
                    self.assertRegex(value[key], kind)
                else:
                    self.assertIsInstance(value[key], kind)
                    self.assertFalse(kind is INT and isinstance(value[key], bool))
        for key, kind in nullable:
            if value.get(key) is not None:
                self.assertRegex(value[key], kind) if isinstance(kind, str) else self.assertIsInstance(value[key], kind)

    # -- every route --

    def test_unknown_paths_and_methods_have_no_body(self):
        for base in (self.s.rest, self.worker):
            for path in ("/nowhere", "/v1", "/v1/tasks/", "/health/", "/ready", "/v1/handlers"):
                answer = curl(base + path)
                self.assertEqual((path, answer.status, answer.body), (path, 404, b""))
        for base, path, method, allowed in ((self.s.rest, "/v1/tasks", "DELETE", {"GET", "HEAD", "POST"}), (self.s.rest, "/health", "POST", {"GET", "HEAD"}),
                                            (self.worker, "/v1/templates", "PUT", {"GET", "HEAD"})):
            answer = curl(base + path, "-X", method)
            self.assertEqual((answer.status, answer.body, set(answer.headers["allow"].replace(" ", "").split(","))), (405, b"", allowed))

    def test_headers_of_every_answer(self):
        for path in ("/health", "/nowhere", "/v1/tasks", "/v1/tasks/17"):
            answer = self.get(path, "-H", "x-request-id: mine")
            self.assertEqual({k: answer.headers[k] for k in CORS}, CORS)
            self.assertEqual(uuid.UUID(answer.headers["x-request-id"]).version, 4)
            worker = self.get(path, base=self.worker)
            self.assertNotIn("x-request-id", worker.headers)
            self.assertEqual({k: worker.headers[k] for k in CORS}, CORS)
        for base in (self.s.rest, self.worker):
            answer = curl(base + "/v1/whatever", "-X", "OPTIONS", "-H", "Origin: http://x", "-H", "Access-Control-Request-Method: POST")
            self.assertEqual((answer.status, answer.headers["access-control-allow-methods"], answer.headers["access-control-allow-headers"]), (200, "*", "*"))

    def test_bodies_that_cannot_be_read(self):
        text = "text/plain; charset=utf-8"
        for raw, args, status, begin in (
                (b'{"name" "x"}', (), 400, "Failed to parse the request body as JSON: "),
                (json.dumps(request(name=7)).encode(), (), 422, "Failed to deserialize the JSON body into the target type: "),
                (json.dumps(request(reason=...)).encode(), (), 422, "Failed to deserialize the JSON body into the target type: "),
                (json.dumps(request(tags=None)).encode(), (), 422, "Failed to deserialize the JSON body into the target type: "),
                (json.dumps(request(correlation_id=None)).encode(), (), 422, "Failed to deserialize the JSON body into the target type: "),
                (json.dumps(request(requested_at="2026-06-01T10:00:00Z")).encode(), (), 422, "Failed to deserialize the JSON body into the target type: "),
                (b"x" * (3 << 20), (), 413, "Failed to buffer the request body: length limit exceeded")):
            answer = curl(self.s.rest + "/v1/tasks", *args, data=raw)
            self.assertEqual((answer.status, answer.headers["content-type"], answer.body.decode()[:len(begin)]), (status, text, begin))
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            answer = curl(self.s.rest + "/v1/tasks", "-H", f"Content-Type: {kind}", "--data", "{}")
            self.assertEqual((answer.status, answer.headers["content-type"]), (415, text))
            self.assertTrue(answer.body.decode().startswith("Expected request with `Content-Type: application/json`"))
        for query in ("page=x", "page=-1", "per_page=4294967296", "page=1&page=2"):
            answer = self.get(f"/v1/tasks?{query}")
            self.assertEqual((query, answer.status, answer.body.decode()[:36]), (query, 400, "Failed to deserialize query string: "))

    def test_every_spelling_of_a_uuid(self):
        task = self.done["task_uuid"]
        for text in (task.upper(), task.replace("-", ""), "%7B" + task + "%7D", "urn:uuid:" + task):
            self.assertEqual(self.get(f"/v1/tasks/{text}").json["task_uuid"], task)
        body = request(correlation_id=uuid.uuid4().hex.upper())
        answer = curl(self.s.rest + "/v1/tasks", data=json.dumps(body).encode()).json
        self.assertEqual(answer["correlation_id"], str(uuid.UUID(body["correlation_id"])))

    # -- tasks --

    def test_task_response(self):
        fresh = curl(self.s.rest + "/v1/tasks", data=json.dumps(request()).encode()).json
        self.shape(fresh, TASK, (("completed_at", T1), ("parent_correlation_id", STR)))
        self.assertEqual(set(fresh), TASK_KEYS)
        one = self.get(f"/v1/tasks/{self.done['task_uuid']}").json
        self.shape(one, TASK, (("completed_at", T1),))
        self.assertEqual((one["status"], one["execution_status"], one["recommended_action"], one["completion_percentage"], one["health_status"]),
                         ("complete", "all_complete", "finalize_task", 100, "healthy"))
        self.assertEqual(len(one["steps"]), 4)
        for step in one["steps"]:
            self.shape(step, READINESS, (("last_failure_at", T2), ("next_retry_at", T2), ("backoff_request_seconds", INT)))
        self.assertEqual([s["workflow_step_uuid"] for s in one["steps"]], sorted(s["workflow_step_uuid"] for s in one["steps"]))

    def test_task_errors(self):
        answer = self.get("/v1/tasks/not-a-uuid")
        self.assertEqual((answer.status, answer.error["code"]), (400, "INVALID_UUID"))
        self.assertIn("not-a-uuid", answer.error["message"])
        answer = self.get(f"/v1/tasks/{uuid.uuid4()}")
        self.assertEqual((answer.status, answer.error), (404, {"code": "NOT_FOUND", "message": "Resource not found"}))
        answer = curl(f"{self.s.rest}/v1/tasks/{self.done['task_uuid']}", "-X", "DELETE")
        self.assertEqual((answer.status, answer.error), (400, {"code": "BAD_REQUEST", "message": "Cannot cancel a completed task"}))
        self.assertEqual(curl(f"{self.s.rest}/v1/tasks/{uuid.uuid4()}", "-X", "DELETE").status, 404)
        self.assertEqual(curl(f"{self.s.rest}/v1/tasks/x", "-X", "DELETE").error["code"], "INVALID_UUID")

    def test_lists(self):
        mark = "list-" + str(uuid.uuid4())
        tasks = [self.s.submit("tests", "diamond", {}, source_system=mark) for _ in range(3)]
        for task in tasks:
            self.s.wait(task)
        page = self.get(f"/v1/tasks?source_system={mark}&per_page=2&unknown=ignored").json
        self.assertEqual(page["pagination"], {"page": 1, "per_page": 2, "total_count": 3, "total_pages": 2, "has_next": True, "has_previous": False})
        for task in page["tasks"]:
            self.shape(task, TASK)
            self.assertEqual((task["status"], task["steps"]), ("complete", []))  # the state, where the reference says "completed" or "pending"
        last = self.get(f"/v1/tasks?source_system={mark}&per_page=2&page=2").json["pagination"]
        self.assertEqual((last["has_next"], last["has_previous"]), (False, True))
        beyond = self.get(f"/v1/tasks?source_system={mark}&page=9").json
        self.assertEqual((beyond["tasks"], beyond["pagination"]["total_count"]), ([], 3))
        nothing = self.get("/v1/tasks?source_system=nobody").json["pagination"]
        self.assertEqual((nothing["total_count"], nothing["total_pages"], nothing["has_next"], nothing["has_previous"]), (0, 0, False, False))
        for status, n in (("completed", 3), ("pending", 0), ("complete", 3), ("error", 0)):
            self.assertEqual((status, self.get(f"/v1/tasks?source_system={mark}&status={status}").json["pagination"]["total_count"]), (status, n))
        self.assertEqual(self.get(f"/v1/tasks?source_system={mark}&namespace=tests").json["pagination"]["total_count"], 3)
        self.assertEqual(self.get(f"/v1/tasks?source_system={mark}&namespace=test").json["pagination"]["total_count"], 0)
        for query, message in (("page=0", "page must be >= 1"), ("per_page=0", "per_page must be between 1 and 100"),
                               ("per_page=101", "per_page must be between 1 and 100"), ("page=0&per_page=0", "per_page must be between 1 and 100")):
            answer = self.get(f"/v1/tasks?{query}")
            self.assertEqual((query, answer.status, answer.error), (query, 400, {"code": "BAD_REQUEST", "message": message}))

    # -- steps --

    def test_steps_and_audit(self):
        base = f"/v1/tasks/{self.done['task_uuid']}/workflow_steps"
        steps = self.get(base).json
        self.assertEqual([s["created_at"] for s in steps], sorted(s["created_at"] for s in steps))
        for step in steps:
            self.shape(step, STEP, (("last_failure_at", T3), ("next_retry_at", T3), ("last_attempted_at", T3)))
            self.assertLessEqual(STEP_KEYS, set(step))
            self.shape(step["results"], RESULT)
            self.shape(step["results"]["metadata"], METADATA, (("started_at", T1), ("worker_id", STR), ("worker_hostname", STR)))
            self.assertEqual((step["results"]["status"], step["results"]["error"]), ("completed", None))
            self.assertEqual(self.get(f"{base}/{step['step_uuid']}").json, step)
            for record in self.get(f"{base}/{step['step_uuid']}/audit").json:
                self.shape(record, AUDIT)
                self.assertNotIn(None, record.values(), "what is null is left out")
                self.assertEqual((record["success"], record["to_state"], record["result"]["type"]), (True, "enqueued_for_orchestration", "EnqueueForOrchestration"))
        self.assertEqual(self.get(f"/v1/tasks/{uuid.uuid4()}/workflow_steps").json, [])

    def test_step_errors(self):
        task, other = self.done["task_uuid"], self.s.submit("tests", "diamond", {})
        step = self.get(f"/v1/tasks/{other}/workflow_steps").json[0]["step_uuid"]
        for path, status, code, begin in ((f"x/workflow_steps/{step}", 400, "BAD_REQUEST", "Invalid task UUID format"),
                                          ("x/workflow_steps", 400, "BAD_REQUEST", "Invalid task UUID format"),
                                          (f"{task}/workflow_steps/x", 400, "BAD_REQUEST", "Invalid step UUID format"),
                                          (f"{task}/workflow_steps/{uuid.uuid4()}", 404, "NOT_FOUND", "Resource not found"),
                                          (f"{task}/workflow_steps/{step}", 404, "NOT_FOUND", "Step does not belong to the specified task")):
            for tail in ("", "/audit") if path.count("/") == 2 else ("",):
                answer = self.get(f"/v1/tasks/{path}{tail}")
                self.assertEqual((answer.status, answer.error["code"], answer.error["message"][:len(begin)]), (status, code, begin))

    # -- templates --

    def test_templates(self):
        found = self.get("/v1/templates").json
        self.assertEqual(found["total_count"], len(found["templates"]))
        self.assertEqual([n["name"] for n in found["namespaces"]], sorted(n["name"] for n in found["namespaces"]))
        for row in found["namespaces"]:
            self.shape(row, {"name": STR, "template_count": INT}, (("description", STR),))
        for row in found["templates"]:
            self.shape(row, {"name": STR, "namespace": STR, "version": STR, "step_count": INT}, (("description", STR),))
        order = [(t["namespace"], t["name"], t["version"]) for t in found["templates"]]
        self.assertEqual(order, sorted(order))
        none = self.get("/v1/templates?namespace=nobody").json
        self.assertEqual((none["templates"], none["total_count"], len(none["namespaces"])), ([], found["total_count"], len(found["namespaces"])))
        one = self.get("/v1/templates/tests/diamond/1.0.0").json
        self.shape(one, {"name": STR, "namespace": STR, "version": STR, "steps": LIST}, (("description", STR),))
        self.assertIn("configuration", one)
        self.assertIsNone(one["configuration"])
        for step in one["steps"]:
            self.shape(step, {"name": STR, "default_retryable": BOOL, "default_max_attempts": INT}, (("description", STR),))
            self.assertIn("result_schema", step)
        answer = self.get("/v1/templates/tests/diamond/9.9.9")
        self.assertEqual((answer.status, answer.error), (404, {"code": "NOT_FOUND", "message": "Template not found: tests/diamond/9.9.9"}))

    # -- health, configuration, metrics --

    def test_health(self):
        for path, status in (("/health", "healthy"), ("/health/live", "alive")):
            answer = self.get(path).json
            self.assertEqual(answer["status"], status)
            self.assertRegex(answer["timestamp"], T4)
        for path, checks, word in (("/health/ready", READY_CHECKS, "ready"),
                                   ("/health/detailed", READY_CHECKS + ("pool_utilization", "queue_depth", "channel_saturation"), "healthy")):
            answer = self.get(path).json
            self.assertEqual(answer["status"], word)
            self.assertRegex(answer["timestamp"], T4)
            for name in checks:
                self.shape(answer["checks"][name], CHECK, (("message", STR),))
                self.assertEqual(answer["checks"][name]["status"], "healthy")
            self.shape(answer["info"], INFO)
            self.assertEqual((answer["info"]["operational_state"], answer["info"]["circuit_breaker_state"]), ("Normal", "Closed"))
            for pool in ("tasker_pool", "pgmq_pool") if "pool_utilization" in answer["info"] else ():
                self.shape(answer["info"]["pool_utilization"][pool], POOL)

    def test_config(self):
        answer = self.get("/config").json
        self.shape(answer["metadata"], CONFIG_METADATA)
        self.shape(answer["auth"], CONFIG_AUTH)
        self.shape(answer["circuit_breakers"], {"enabled": BOOL, "failure_threshold": INT, "timeout_seconds": INT, "success_threshold": INT})
        self.shape(answer["database_pools"], {"web_api_pool_size": INT, "web_api_max_connections": INT})
        self.shape(answer["messaging"], {"backend": STR, "queues": LIST})
        self.assertEqual((answer["messaging"]["backend"], len(answer["messaging"]["queues"])), ("pgmq", 3))
        for text in (answer["metadata"]["environment"], answer["metadata"]["version"], answer["deployment_mode"]):
            self.assertTrue(text)
        self.assertNotIn("postgresql://tasker@", json.dumps(answer))

    def test_metrics(self):
        for base, word in ((self.s.rest, "tasker_orchestrator"), (self.worker, "tasker_worker")):
            self.assertIn(word, curl(base + "/metrics").body.decode())

    # -- the worker --

    def test_worker_health(self):
        for path, status in (("/health", "healthy"), ("/health/live", "alive")):
            answer = self.get(path, base=self.worker).json
            self.assertEqual(answer["status"], status)
            self.shape(answer, {"timestamp": T1, "worker_id": STR})
            self.assertTrue(answer["worker_id"].startswith("worker-"))
        for path, checks, word in (("/health/ready", ("database", "command_processor", "queue_processing"), "ready"),
                                   ("/health/detailed", ("database", "command_processor", "queue_processing", "event_system", "step_processing", "circuit_breakers"),
                                    "healthy")):
            answer = self.get(path, base=self.worker).json
            self.assertEqual(answer["status"], word)
            self.shape(answer, {"timestamp": T1, "worker_id": STR})
            for name in checks:
                self.shape(answer["checks"][name], {**CHECK, "last_checked": T1}, (("message", STR),))
            self.shape(answer["system_info"], WORKER_INFO)
            self.assertIn("tests", answer["system_info"]["supported_namespaces"])
        if "distributed_cache" in answer:
            self.shape(answer["distributed_cache"], {"enabled": BOOL, "provider": STR, "healthy": BOOL})

    def test_worker_metrics(self):
        answer = self.get("/metrics/worker", base=self.worker).json
        self.shape(answer, {"metrics": dict, "timestamp": T1, "worker_id": STR})
        self.assertTrue(answer["metrics"])
        for metric in answer["metrics"].values():
            self.shape(metric, {"value": NUMBER, "metric_type": STR, "labels": dict, "help": STR})
        answer = self.get("/metrics/events", base=self.worker).json
        self.shape(answer, {"captured_at": T1, "worker_id": STR})
        self.shape(answer["router"], dict.fromkeys(("total_routed", "durable_routed", "fast_routed", "broadcast_routed", "fast_delivery_errors", "routing_errors"), INT))
        self.shape(answer["in_process_bus"], dict.fromkeys(
            ("total_events_dispatched", "rust_handler_dispatches", "ffi_channel_dispatches", "rust_handler_errors", "ffi_channel_drops", "rust_subscriber_patterns",
             "rust_handler_count", "ffi_subscriber_count"), INT))

    def test_worker_templates(self):
        answer = self.get("/v1/templates?namespace=ignored", base=self.worker).json
        self.shape(answer, {"supported_namespaces": LIST, "template_count": INT, "worker_capabilities": LIST})
        self.assertIn("cache_stats", answer)
        self.assertIsNone(answer["cache_stats"])
        stats = self.get("/v1/templates?include_cache_stats=true", base=self.worker).json["cache_stats"]
        self.shape(stats, {"total_cached": INT, "cache_hits": INT, "cache_misses": INT, "cache_evictions": INT, "oldest_entry_age_seconds": INT,
                           "average_access_count": NUMBER, "supported_namespaces": LIST})
        answer = self.get("/v1/templates/tests/diamond/1.0.0", base=self.worker).json
        self.shape(answer["template"], {"template": dict, "environment": STR, "resolved_at": T1})
        self.shape(answer["template"]["template"], {"name": STR, "namespace_name": STR, "version": STR, "steps": LIST})
        for step in answer["template"]["template"]["steps"]:
            self.shape(step, STEP_DEFINITION)
            self.assertIsInstance(step["handler"]["callable"], str)
        self.shape(answer["handler_metadata"], {"namespace": STR, "name": STR, "version": STR, "handler_class": STR, "registered_at": T1})
        self.assertIsInstance(answer["cached"], bool)
        answer = curl(self.worker + "/v1/templates/tests/diamond/1.0.0/validate", "-X", "POST").json
        self.shape(answer, {"valid": BOOL, "errors": LIST, "required_capabilities": LIST, "step_handlers": LIST})
        self.assertTrue(answer["valid"], answer)
        for path, method in (("/v1/templates/tests/nobody_has_this/1.0.0", "GET"), ("/v1/templates/tests/nobody_has_this/1.0.0/validate", "POST")):
            answer = curl(self.worker + path, "-X", method)
            self.assertEqual((answer.status, answer.json["error"], answer.json["message"], answer.json["request_id"]),
                             (404, "template_not_found", "Template not found: tests/nobody_has_this/1.0.0", None))
            self.assertRegex(answer.json["timestamp"], T1)

    def test_worker_config(self):
        answer = self.get("/config", base=self.worker).json
        self.shape(answer, {"worker_id": STR, "worker_type": STR})
        self.shape(answer["metadata"], CONFIG_METADATA)
        self.shape(answer["auth"], CONFIG_AUTH)
        self.shape(answer["messaging"], {"backend": STR, "queues": LIST})
