# SPDX-License-Identifier: MIT
"""Pause and resume of a task, a template, a namespace; rerun; decisions about many tasks, over REST."""
import uuid

from lib.single import Single

WHY = {"by": "kim", "reason": "because"}


class Hold(Single):
    def post(self, path, body=None, status=200):
        answer = self.s.call("POST", path, WHY if body is None else body)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def submit(self, name="chain", **more):
        return self.s.submit("tests", name, {}, **more)

    def state(self, task):
        return self.s.call("GET", f"/v1/tasks/{task}").json

    def test_a_task(self):
        self.post("/v1/namespaces/tests/pause")
        task = self.submit()
        self.post(f"/v1/tasks/{task}/pause")
        self.post("/v1/namespaces/tests/resume")
        held = self.state(task)
        self.assertEqual((held["held"], held["status"]), (["task"], "waiting_for_dependencies"))
        said = self.s.call("GET", f"/v1/tasks/{task}/explain").json
        self.assertEqual(said["summary"], "It is held: paused by kim: because.")
        self.assertIn(f"tasker task resume {task} ", said["advice"])
        self.assertIn("is held: paused by kim: because", [s["why"] for s in said["steps"]])
        self.assertEqual(self.post(f"/v1/tasks/{task}/pause")["held"], ["task"], "again")
        self.assertEqual(self.post(f"/v1/tasks/{task}/resume")["held"], [])
        self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertEqual(self.post(f"/v1/tasks/{task}/pause", status=400)["error"]["message"], "Cannot pause a task that has ended: complete")
        self.assertEqual(self.post(f"/v1/tasks/{task}/resume")["held"], [], "nothing holds it")
        self.post(f"/v1/tasks/{uuid.uuid4()}/pause", status=404)
        self.post("/v1/tasks/zzz/pause", status=400)

    def test_a_namespace_and_a_template(self):
        for path in ("/v1/namespaces/tests", "/v1/templates/tests/chain"):
            self.assertTrue(self.post(path + "/pause")["paused"])
            body = {"namespace": "tests", "name": "chain", "version": "1.0.0", "context": {"n": str(uuid.uuid4())}, "initiator": "i", "source_system": "s", "reason": "r"}
            fresh = self.s.call("POST", "/v1/tasks", body).json
            self.assertEqual((fresh["status"], fresh["in_progress_steps"], fresh["pending_steps"]), ("waiting_for_dependencies", 0, 4))
            self.assertEqual(self.state(fresh["task_uuid"])["held"], ["namespace" if "namespaces" in path else "template"])
            listed = self.s.call("GET", "/v1/templates?namespace=tests").json
            paused = {n["name"] for n in listed["namespaces"] if n["paused"]} | {t["name"] for t in listed["templates"] if t["paused"]}
            self.assertEqual(paused, {"tests" if "namespaces" in path else "chain"})
            self.post(path + "/pause", {"by": "olga", "reason": "me too"})
            shown = self.s.call("GET", path + ("" if "namespaces" in path else "/1.0.0")).json
            self.assertEqual((shown["paused"], shown["paused_by"], shown["paused_reason"]), (True, "kim", "because"), "who was first")
            self.assertGreater(shown["paused_at"], "2026")
            said = self.s.call("GET", f"/v1/tasks/{fresh['task_uuid']}/explain").json
            self.assertEqual(said["summary"], f"It is held: its {'namespace' if 'namespaces' in path else 'template'} is paused by kim: because.")
            done = self.post(path + "/resume")
            self.assertEqual((done["paused"], done["changed"], done["next"]), (False, 1, None))
            self.assertEqual(self.s.wait(fresh["task_uuid"])["status"], "complete")
            shown = self.s.call("GET", path + ("" if "namespaces" in path else "/1.0.0")).json
            self.assertEqual([shown[k] for k in ("paused", "paused_by", "paused_reason", "paused_at")], [False, None, None, None])
        self.post("/v1/namespaces/nobody/pause", status=404)
        self.post("/v1/templates/tests/no_such/pause", status=404)
        self.post("/v1/templates/tests/chain/pause?version=9.9.9", status=404)

    def test_weights(self):
        def put(body, ns="tests"):
            return self.s.call("PUT", f"/v1/namespaces/{ns}/weight", body)
        answer = put({**WHY, "weight": 3})
        self.assertEqual((answer.status, {k: answer.json[k] for k in ("name", "weight", "weight_by", "weight_reason", "paused")}),
                         (200, {"name": "tests", "weight": 3, "weight_by": "kim", "weight_reason": "because", "paused": False}))
        self.assertEqual(self.s.call("GET", "/v1/namespaces/tests").json, answer.json)
        self.assertIn(answer.json, self.s.call("GET", "/v1/namespaces").json["namespaces"])
        self.assertEqual(put({"by": "other", "reason": "again", "weight": 3}).json["weight_by"], "kim", "nothing changed")
        self.assertEqual(put({**WHY, "weight": 1}).json["weight"], 1)
        self.assertEqual(put({**WHY, "weight": 1}, "nobody").status, 404)
        self.assertEqual(self.s.call("GET", "/v1/namespaces/nobody").status, 404)
        for body, status, says in (({"weight": 2}, 422, "`by`"), (WHY, 422, "`weight`"), ({**WHY, "weight": "2"}, 422, "weight"), ({**WHY, "weight": 0}, 400, "1 to 1000, found 0"),
                                   ({**WHY, "weight": 1001}, 400, "found 1001"), (b"{", 400, "")):
            answer = put(body)
            self.assertEqual(answer.status, status, answer)
            self.assertIn(says, answer.body.decode())

    def test_bodies(self):
        for body, status in (({}, 422), ({"by": "kim"}, 422), ({"by": "", "reason": "r"}, 400), (b"{", 400), ([], 422), ({**WHY, "after": "x"}, 422)):
            self.post_raw("/v1/namespaces/tests/pause", body, status)
        for body, status, says in (({**WHY, "action": "explode", "filter": {"all": True}}, 422, "unknown variant `explode`"), ({**WHY, "action": "pause"}, 422, "`filter`"),
                                   ({**WHY, "action": "pause", "filter": {}}, 400, "needs at least one"), ({**WHY, "action": "pause", "filter": {"tag": 7}}, 422, "tag"),
                                   ({**WHY, "action": "pause", "filter": {"tag": "x"}, "dry_run": "yes"}, 422, "dry_run")):
            self.assertIn(says, self.post_raw("/v1/tasks/bulk", body, status))

    def post_raw(self, path, body, status):
        answer = self.s.call("POST", path, body)
        self.assertEqual(answer.status, status, answer)
        return answer.body.decode()

    def test_many(self):
        tag = str(uuid.uuid4())
        tasks = [self.submit("blocked", tags=[tag]) for _ in range(4)]
        for task in tasks:
            self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        ask = {**WHY, "action": "reset", "filter": {"tag": tag, "status": "blocked_by_failures"}}
        dry = self.post("/v1/tasks/bulk", {**ask, "dry_run": True})
        self.assertEqual((sorted(dry["matched"]), dry["changed"], dry["next"]), (sorted(tasks), 0, None))
        self.assertEqual(self.post("/v1/tasks/bulk", ask)["changed"], 4)
        self.assertEqual({self.s.wait(t)["status"] for t in tasks}, {"complete"})
        slow = [self.s.submit("tests", "chain", {"sleep_ms": 60000}, tags=[tag]) for _ in range(3)]
        self.assertEqual(self.post("/v1/tasks/bulk", {**WHY, "action": "cancel", "filter": {"tag": tag}})["changed"], 3)
        self.assertEqual({self.s.wait(t)["status"] for t in slow}, {"cancelled"})

    def test_many_decisions_are_completed_with_an_outcome(self):
        """What it says comes into being, in each of them; an outcome that cannot be is refused, and nothing of that task changes."""
        tag = str(uuid.uuid4())
        tasks = [self.s.submit("tests", "decisions", {"decide": {"d1": ["nobody"]}}, tags=[tag]) for _ in range(2)]
        for task in tasks:
            self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        ask = {**WHY, "action": "complete", "filter": {"tag": tag, "step": "d1"}}

        def outcome(*names):
            return {"completion_data": {"result": {"decision_point_outcome": {"type": "create_steps", "step_names": list(names)}}}}
        self.assertIn("completion_data.result: ", self.post_raw("/v1/tasks/bulk", {**ask, **outcome("no_such_step")}, 400))
        dry = self.post("/v1/tasks/bulk", {**ask, **outcome("b1"), "dry_run": True})
        self.assertEqual((sorted(dry["matched"]), dry["changed"], dry["steps"]), (sorted(tasks), 0, 2))
        before = self.s.metric(self.s.rest, "tasker_orchestrator_step_actions_total")
        done = self.post("/v1/tasks/bulk", {**ask, **outcome("b1")})
        self.assertEqual((done["changed"], done["steps"], done["next"]), (2, 2, None))
        self.assertEqual(self.s.metric(self.s.rest, "tasker_orchestrator_step_actions_total"), before + 2)
        for task in tasks:
            self.assertEqual(self.s.wait(task)["status"], "complete")
            self.assertIn("b1", [x["name"] for x in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json])
        self.assertEqual(self.post("/v1/tasks/bulk", {**ask, **outcome("b1")})["changed"], 0)

    def test_history_of_what_ran_again(self):
        task = self.s.submit("tests", "batches", {"batches": 3})
        self.assertEqual(self.s.wait(task)["status"], "complete")
        steps = {s["name"]: s["step_uuid"] for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json}
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{task}/history").json["generations"], [])
        body = {"action_type": "rerun", "rerun_by": "kim", "reason": "wrong cut", "context": {"batches": 2}}
        self.assertEqual(self.s.call("PATCH", f"/v1/tasks/{task}/workflow_steps/{steps['analyze']}", body).status, 200)
        self.assertEqual(self.s.wait(task)["total_steps"], 5)
        told = self.s.call("GET", f"/v1/tasks/{task}/history").json
        again, = told["generations"]
        self.assertEqual({k: again[k] for k in ("generation", "actor", "reason", "from_step", "step_name", "dropped_count")},
                         {"generation": 1, "actor": "kim", "reason": "wrong cut", "from_step": steps["analyze"], "step_name": "analyze", "dropped_count": 3})
        self.assertEqual(again["context"]["batches"], 3, "the one before")
        self.assertEqual([(d["name"], d["state"], d["attempts"], d["step_uuid"]) for d in again["dropped"]],
                         [(n, "complete", 1, steps[n]) for n in ("part_001", "part_002", "part_003")])
        self.assertEqual((told["generation"], told["status"], told["changes"][0]["from"], told["changes"][-1]["to"], told["more"]), (1, "complete", None, "complete", False))
        audit = self.s.call("GET", f"/v1/tasks/{task}/workflow_steps/{steps['part_003']}/audit").json
        self.assertEqual([(a["step_name"], a["attempt"], a["success"]) for a in audit], [("part_003", 1, True)])
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{task}/workflow_steps/{steps['part_003']}").status, 404, "it is no step of it any more")
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{uuid.uuid4()}/history").status, 404)

    def test_history_of_decisions(self):
        task = self.submit("blocked")
        self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        for verb in ("pause", "resume"):
            self.post(f"/v1/tasks/{task}/{verb}")
        told = [(c["action"], c["actor"], c["reason"]) for c in self.s.call("GET", f"/v1/tasks/{task}/history").json["changes"] if c["action"]]
        self.assertEqual(told, [("pause", "kim", "because"), ("resume", "kim", "because")])
        told = [(c["from"], c["to"], c["actor"], c["reason"]) for c in self.s.call("GET", f"/v1/tasks/{task}/history").json["changes"] if not c["action"]]
        row, = self.s.sql("SELECT initiator, reason FROM tasker.tasks WHERE task_uuid = $1", task)
        self.assertEqual(told[0], (None, "steps_in_process", row.initiator, row.reason))
        self.assertIn(("steps_in_process", "blocked_by_failures", "tasker", "a step has failed for good"), told)

    def test_history_of_steps(self):
        """Every change has a time, an actor and a reason, also those of the engine itself."""
        task = self.submit("blocked")
        self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        step, = [s["step_uuid"] for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json if s["current_state"] == "error"]
        body = {"action_type": "skip", "skipped_by": "kim", "reason": "not needed"}
        self.assertEqual(self.s.call("PATCH", f"/v1/tasks/{task}/workflow_steps/{step}", body).status, 200)
        self.assertEqual(self.s.wait(task)["status"], "complete")
        told = self.s.call("GET", f"/v1/tasks/{task}/history").json
        self.assertEqual((len(told["steps"]), told["more_steps"]),
                         (self.s.value("SELECT count(*) FROM tasker.workflow_step_transitions WHERE task_uuid = $1", task), False))
        self.assertTrue(all(c["at"] and c["actor"] and c["reason"] for c in told["steps"]), told["steps"])
        worker = self.s.value("SELECT worker_id FROM tasker.step_results WHERE task_uuid = $1 AND worker_id IS NOT NULL LIMIT 1", task)
        mine = [(c["from"], c["to"], c["actor"], c["reason"]) for c in told["steps"] if c["step_uuid"] == step]
        self.assertEqual(mine[0][2:], ("tasker", "ready, and a worker has room"))
        self.assertEqual(mine[-2:], [("in_progress", "error", worker, "its handler failed for good"), ("error", "resolved_manually", "kim", "not needed")])

    def test_who_cancels_and_why(self):
        before = self.s.metric(self.s.rest, 'tasker_orchestrator_task_actions_total{action="cancel"}')
        for query, who, why in (("", "api", "cancelled by request"), ("?by=kim&reason=ordered%20twice", "kim", "ordered twice")):
            task = self.s.submit("tests", "chain", {"sleep_ms": 60000})
            answer = self.s.call("DELETE", f"/v1/tasks/{task}{query}")
            self.assertEqual((answer.status, answer.json["message"]), (200, why))
            last = self.s.call("GET", f"/v1/tasks/{task}/history").json["changes"][-1]
            self.assertEqual((last["to"], last["actor"], last["reason"]), ("cancelled", who, why))
        self.assertEqual(self.s.metric(self.s.rest, 'tasker_orchestrator_task_actions_total{action="cancel"}') - before, 2)
        self.assertIn("reason: must have 1 to 500 bytes, found 501", self.s.call("DELETE", f"/v1/tasks/{task}?reason={'x' * 501}").body.decode())

    def test_rerun(self):
        task = self.submit()
        self.assertEqual(self.s.wait(task)["status"], "complete")
        steps = {s["name"]: s["step_uuid"] for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json}
        body = {"action_type": "rerun", "rerun_by": "kim", "reason": "wrong rate", "context": {"rate": 2}}
        answer = self.s.call("PATCH", f"/v1/tasks/{task}/workflow_steps/{steps['three']}", body)
        self.assertEqual(answer.status, 200)
        done = self.s.wait(task)
        self.assertEqual((done["status"], done["generation"], done["context"]), ("complete", 1, {"rate": 2}))
        after = {s["name"]: s["results"]["result"]["attempt"] for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json}
        self.assertEqual(after, {"one": 1, "two": 1, "three": 2, "four": 2})
        for context, status in ((7, 422), ({"a": "x" * 10001}, 400)):
            self.assertEqual(self.s.call("PATCH", f"/v1/tasks/{task}/workflow_steps/{steps['one']}", {**body, "context": context}).status, status)
