# SPDX-License-Identifier: MIT
"""Running again with another input: as a whole, or some members of it, of one task or of many; it must fit what the template asks for."""
import uuid

from lib.single import Single

WHY = {"by": "kim", "reason": "wrong rate"}
ORDER = {"id": 7, "items": [{"sku": "A-1"}]}


class Edit(Single):
    def submit(self, name, context, **more):
        answer = self.s.call("POST", "/v1/tasks", {"namespace": "tests", "name": name, "version": "1.0.0", "context": context, "initiator": "test",
                                                   "source_system": "tests", "reason": "to edit it", "identity_strategy": "always_unique", **more})
        self.assertEqual(answer.status, 200, answer)
        self.s.wait(answer.json["task_uuid"])
        return answer.json["task_uuid"]

    def step(self, task, name):
        return next(s for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json if s["name"] == name)

    def runs(self, task, name):
        return self.step(task, name)["results"]["result"]["attempt"]

    def rerun(self, task, step, **data):
        """(status, what the answer says, generation and context of the task then)."""
        body = {"action_type": "rerun", "rerun_by": "kim", "reason": "wrong rate", **data}
        answer = self.s.call("PATCH", f"/v1/tasks/{task}/workflow_steps/{self.step(task, step)['step_uuid']}", body)
        now = self.s.wait(task)
        return answer.status, answer.body.decode(), now["generation"], now["context"]

    def bulk(self, **ask):
        answer = self.s.call("POST", "/v1/tasks/bulk", {**WHY, "action": "rerun", **ask})
        return answer.status, answer.json if answer.status == 200 else answer.body.decode()

    def test_it_must_fit_its_schema(self):
        task = self.submit("typed", {"order": ORDER})
        said = "context does not fit the template's input_schema: /order/id: must be at least 1, found 0"
        for data in ({"context": {"order": {**ORDER, "id": 0}}}, {"context_patch": {"order": {"id": 0}}}):
            status, text, *after = self.rerun(task, "fits", **data)
            self.assertEqual((status, said in text, after), (400, True, [0, {"order": ORDER}]), text)
        self.assertEqual(self.runs(task, "fits"), 1, "nothing was done")
        self.assertEqual(self.rerun(task, "fits", context={"order": {**ORDER, "id": 9}})[2:], (1, {"order": {**ORDER, "id": 9}}))
        self.assertEqual(self.runs(task, "fits"), 2)

    def test_some_members_of_it(self):
        """As RFC 7396 has it: objects are merged, anything else takes the place of what was there, null takes it away."""
        task = self.submit("chain", {"a": {"b": 1, "c": [1, 2]}, "old": 1, "keep": "x"})
        status, _, generation, context = self.rerun(task, "three", context_patch={"a": {"c": [3]}, "old": None, "new": {"x": None, "y": 1}})
        self.assertEqual((status, generation, context), (200, 1, {"a": {"b": 1, "c": [3]}, "keep": "x", "new": {"y": 1}}))
        told = self.s.call("GET", f"/v1/tasks/{task}/history").json["generations"][-1]
        self.assertEqual(told["context"], {"a": {"b": 1, "c": [1, 2]}, "old": 1, "keep": "x"}, "the one before is kept")
        self.assertEqual((self.runs(task, "two"), self.runs(task, "three")), (1, 2))

    def test_what_is_refused(self):
        task = self.submit("chain", {})
        for data, status, said in (({"context": {}, "context_patch": {}}, 400, "context and context_patch: give one of them"),
                                   ({"context_patch": [1]}, 422, "context_patch: invalid type, expected a map"),
                                   ({"context_patch": {"a": "x" * 10001}}, 400, "context_patch"), ({"context": {"a": "x" * 10001}}, 400, "context")):
            found, text, generation, _ = self.rerun(task, "one", **data)
            self.assertEqual((found, said in text, generation), (status, True, 0), text)
        unknown = self.s.call("PATCH", f"/v1/tasks/{uuid.uuid4()}/workflow_steps/{uuid.uuid4()}",
                              {"action_type": "rerun", "rerun_by": "kim", "reason": "r", "context_patch": {}})
        self.assertEqual(unknown.status, 404)
        where = {"filter": {"tag": "none", "step": "one"}}
        for ask, status, said in (({"context": {}}, 400, "context: each task has its own; context_patch changes members of it"),
                                  ({"context_patch": 7}, 422, "context_patch: invalid type, expected a map"),
                                  ({"action": "skip", "context_patch": {}}, 400, "context_patch: goes with rerun")):
            self.assertEqual((self.bulk(**where, **ask)[0], said in self.bulk(**where, **ask)[1]), (status, True), ask)

    def test_of_many(self):
        tag = str(uuid.uuid4())
        tasks = [self.submit("chain", {"n": n, "rate": 1}, tags=[tag]) for n in range(3)]
        ask = {"filter": {"tag": tag, "step": "three", "status": "complete"}, "context_patch": {"rate": 2}}
        status, dry = self.bulk(**ask, dry_run=True)
        self.assertEqual((status, dry["changed"], dry["steps"], sorted(dry["matched"])), (200, 0, 3, sorted(tasks)))
        before = self.s.metric(self.s.rest, 'tasker_orchestrator_step_actions_total{action="rerun"}')
        status, done = self.bulk(**ask)
        self.assertEqual((status, done["changed"], done["steps"], done["next"]), (200, 3, 3, None))
        self.assertEqual(self.s.metric(self.s.rest, 'tasker_orchestrator_step_actions_total{action="rerun"}'), before + 3)
        for n, task in enumerate(tasks):
            now = self.s.wait(task)
            self.assertEqual((now["status"], now["generation"], now["context"]), ("complete", 1, {"n": n, "rate": 2}))
            self.assertEqual([self.runs(task, s) for s in ("one", "two", "three", "four")], [1, 1, 2, 2])
        self.assertEqual(self.bulk(**ask)[1]["changed"], 0, "asked twice, done once")

    def test_one_of_many_that_would_not_fit_is_named(self):
        tag = str(uuid.uuid4())
        good, bad = self.submit("typed", {"order": ORDER}, tags=[tag]), self.submit("typed", {"order": ORDER, "run": "x"}, tags=[tag])
        ask = {"filter": {"tag": tag, "step": "fits"}, "context_patch": {"run": 7}}
        for more in ({"dry_run": True}, {}):
            status, done = self.bulk(**ask, **more)
            self.assertEqual((status, done["changed"], done["next"]), (200, 0, None))
            self.assertEqual({(x["task_uuid"], x["reason"]) for x in done["skipped"]},
                             {(t, "context_patch: context does not fit the template's input_schema: /run: must be string, found integer") for t in (good, bad)})
        self.assertEqual({self.s.wait(t)["generation"] for t in (good, bad)}, {0})
        status, done = self.bulk(**{**ask, "context_patch": {"run": None}})
        self.assertEqual((status, done["changed"], [self.s.wait(t)["context"] for t in (good, bad)]), (200, 2, [{"order": ORDER}] * 2))
