# SPDX-License-Identifier: MIT
"""`PATCH /v1/tasks/{task}/workflow_steps/{step}`: what people decide about steps, in the words of the contract."""
import json
import os
import unittest
import uuid

from lib.system import System, eventually

RESET = {"action_type": "reset_for_retry", "reason": "mended", "reset_by": "kim"}
RESOLVE = {"action_type": "resolve_manually", "reason": "done by hand", "resolved_by": "kim"}
COMPLETE = {"action_type": "complete_manually", "completion_data": {"result": {"n": 1.0, "text": "ü"}, "metadata": {"ticket": 7}},
            "reason": "by telephone", "completed_by": "kim"}
SKIP = {"action_type": "skip", "reason": "not needed", "skipped_by": "kim"}


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(orchestrators=2, env={"TASKER_DISPATCH_LEASE": "3s"})  # workers of the other one are told when their leases are renewed
        cls.addClassCleanup(cls.s.stop)

    def tearDown(self):
        self.s.doctor()

    def steps(self, task):
        return {s["name"]: s for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json}

    def patch(self, task, step, body, **more):
        if len(step) != 36:
            step = self.steps(task)[step]["step_uuid"]
        return self.s.call("PATCH", f"/v1/tasks/{task}/workflow_steps/{step}", body, **more)

    def blocked(self):
        task = self.s.submit("tests", "blocked", {})
        self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        return task

    def test_a_reset_task_goes_on(self):
        task = self.blocked()
        before = self.s.metric(self.s.rest, "tasker_orchestrator_step_actions_total")
        answer = self.patch(task, "middle", RESET)
        self.assertEqual((answer.status, answer.json["name"]), (200, "middle"))
        self.assertIn(answer.json["attempts"], (0, 1), "none, or the first one after the reset")
        self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertEqual(self.s.metric(self.s.rest, "tasker_orchestrator_step_actions_total"), before + 1)
        self.assertEqual(self.patch(task, "middle", RESET).status, 200, "asked again after a lost answer")
        audit = self.s.call("GET", f"/v1/tasks/{task}/workflow_steps/{answer.json['step_uuid']}/audit").json
        self.assertEqual([a["success"] for a in audit], [True, False])

    def test_completing_hands_the_result_on(self):
        task = self.blocked()
        answer = self.patch(task, "middle", COMPLETE)
        self.assertEqual((answer.status, answer.json["current_state"]), (200, "complete"))
        result = answer.json["results"]
        self.assertEqual((result["success"], result["status"], result["error"], result["result"]), (True, "completed", None, {"n": 1.0, "text": "ü"}))
        self.assertEqual(result["metadata"]["custom"], {"ticket": 7, "manually_completed": True, "completed_by": "kim", "completion_reason": "by telephone"})
        self.assertEqual(result["metadata"]["execution_time_ms"], 0)
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def test_resolving_and_skipping(self):
        for action in (RESOLVE, SKIP):
            task = self.blocked()
            self.assertEqual(self.patch(task, "middle", action).json["current_state"], "resolved_manually")
            done = self.s.wait(task)
            self.assertEqual((done["status"], done["completed_steps"], done["execution_status"]), ("complete", 3, "all_complete"))

    def test_somebody_else_is_told(self):
        """A wait at one orchestrator ends with what was decided at the other."""
        one, other = (p["rest"] for p in self.s.endpoints["orchestrators"])
        task = self.s.submit("tests", "chain", {"sleep_ms": 60000, "journal": self.s.journal}, base=one)
        eventually(lambda: os.path.exists(self.s.journal) and task in open(self.s.journal, encoding="utf-8").read(), what="its handler runs")
        for name in ("two", "three", "four", "one"):
            self.assertEqual(self.patch(task, name, RESOLVE, base=other).status, 200)
        self.assertEqual(self.s.wait(task, base=one)["status"], "complete")
        eventually(lambda: f"cancelled {task} one" in open(self.s.journal, encoding="utf-8").read(), what="the handler was told")

    def test_refusals(self):
        task = self.blocked()
        for name, action, says in (("first", RESET, "Cannot manually resolve step: invalid transition from complete to ResetForRetry"),
                                   ("first", SKIP, "Cannot manually resolve step: invalid transition from complete to Skip")):
            answer = self.patch(task, name, action)
            self.assertEqual((answer.status, answer.json["error"]), (400, {"code": "BAD_REQUEST", "message": says}))
        self.s.call("DELETE", f"/v1/tasks/{task}")
        answer = self.patch(task, "middle", RESOLVE)
        self.assertEqual((answer.status, answer.json["error"]["message"]), (400, "Cannot manually resolve step: its task has ended: cancelled"))

    def test_wrong_paths(self):
        task, other = self.blocked(), self.blocked()
        step = self.steps(other)["middle"]["step_uuid"]
        for where, what, status, message in ((task, step, 404, "Step does not belong to the specified task"), (task, str(uuid.uuid4()), 404, "Resource not found"),
                                             ("zzz", step, 400, "Invalid task UUID format: 'zzz'")):
            answer = self.patch(where, what, RESOLVE)
            self.assertEqual((answer.status, answer.json["error"]["message"]), (status, message))
        answer = self.s.call("PATCH", f"/v1/tasks/{task}/workflow_steps/zzz", RESOLVE)
        self.assertEqual((answer.status, answer.json["error"]["message"]), (400, "Invalid step UUID format: 'zzz'"))

    def test_wrong_bodies(self):
        task = self.blocked()
        step = self.steps(task)["middle"]["step_uuid"]
        prefix = "Failed to deserialize the JSON body into the target type: "
        for body, status, says in ((b"{", 400, "Failed to parse the request body as JSON: "), ({}, 422, prefix + "missing field `action_type`"),
                                   ({"action_type": "explode"}, 422, prefix + "unknown variant `explode`"),
                                   ({**RESET, "reset_by": 7}, 422, prefix + "reset_by: invalid type"),
                                   ({k: v for k, v in RESOLVE.items() if k != "reason"}, 422, prefix + "missing field `reason`"),
                                   ({**COMPLETE, "completion_data": {}}, 422, prefix + "missing field `completion_data.result`"),
                                   ({**RESET, "reason": "x" * 501}, 400, "reason: must have 1 to 500 bytes, found 501"),
                                   ({**COMPLETE, "completion_data": {"result": "x" * (1 << 20)}}, 400, "completion_data")):
            answer = self.patch(task, step, body)
            self.assertEqual(answer.status, status, answer)
            self.assertIn(says, answer.body.decode())
        self.assertEqual(self.patch(task, step, json.dumps(RESET).encode(), headers={"Content-Type": "text/plain"}).status, 415)
        self.assertEqual(self.steps(task)["middle"]["current_state"], "error")
