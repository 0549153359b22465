# SPDX-License-Identifier: MIT
"""Which submissions are the same task: strategies of templates and requests, keys, canonical contexts, and many at once."""
import concurrent.futures
import json
import unittest
import uuid

from lib.system import System
from test_rest import curl, request

TOGETHER = 100


class Identity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(orchestrators=2)
        cls.addClassCleanup(cls.s.stop)
        cls.bases = [p["rest"] for p in cls.s.endpoints["orchestrators"]]

    def post(self, body, base=None):
        return curl((base or self.s.rest) + "/v1/tasks", data=body if isinstance(body, bytes) else json.dumps(body).encode())

    def raw(self, context):
        """A submission whose context is this very text."""
        body = request(context="HERE")
        return json.dumps(body).replace('"HERE"', context).encode()

    def same(self, one, other):
        first, second = self.post(self.raw(one)), self.post(self.raw(other))
        self.assertEqual(first.status, 200, first.body)
        self.assertIn(second.status, (200, 409))
        return second.status == 409

    def test_strict_is_by_canonical_context(self):
        """RFC 8785: the order of members, blanks, escapes and number forms make no difference; everything else does."""
        for one, other, expected in (
                ('{"a":1,"b":2}', '{ "b" : 2, "a" : 1 }', True), ('{"a":1}', '{"a":1.0}', True), ('{"a":100}', '{"a":1e2}', True),
                ('{"a":0.1}', '{"a":1.0e-1}', True), ('{"a":0}', '{"a":-0.0}', True), ('{"a":1}', '{"a":"1"}', False),
                ('{"a":"\\u00e9"}', '{"a":"é"}', True), ('{"a":"é"}', '{"a":"e\\u0301"}', False), ('{"a":"\\/"}', '{"a":"/"}', True),
                ('{"\\ud83d\\ude00":1,"\\ufb33":2}', '{"\\ufb33":2,"😀":1}', True), ('{"a":[1,2]}', '{"a":[2,1]}', False),
                ('{"a":null}', '{}', False), ('{"a":9007199254740993}', '{"a":9007199254740992}', False), ('{"a":{"x":1,"y":{}}}', '{"a":{"y":{},"x":1}}', True)):
            with self.subTest(one=one, other=other):
                run = f'"run":"{uuid.uuid4()}"'
                one, other = ("{" + run + "," * (len(t.strip()) > 2) + t.strip()[1:] for t in (one, other))
                self.assertEqual(self.same(one, other), expected)

    def test_another_template_is_another_task(self):
        body = request()
        self.assertEqual([self.post({**body, "name": n}).status for n in ("chain", "diamond", "chain")], [200, 200, 409])
        self.assertEqual(self.post({**body, "initiator": "else", "tags": ["x"], "priority": 3}).status, 409, "only the context counts")

    def test_a_key_gets_the_first_answer_again(self):
        body = request(idempotency_key=str(uuid.uuid4()))
        first = self.post(body, self.bases[0])
        again = self.post({**body, "context": dict(reversed(body["context"].items()))}, self.bases[1])
        self.assertEqual((first.status, again.status, again.json["task_uuid"]), (200, 200, first.json["task_uuid"]))
        self.assertLessEqual(set(first.json), set(again.json))
        other = self.post({**body, "context": {"another": 1}})
        self.assertEqual((other.status, other.error["code"]), (409, "CONFLICT"))
        self.assertIn("A task with this identity already exists", other.error["message"])

    def test_caller_provided_wants_a_key(self):
        body = request(name="keyed")
        answer = self.post(body)
        self.assertEqual((answer.status, answer.error["message"]), (400, "idempotency_key is required: template keyed has identity_strategy caller_provided"))
        self.assertEqual([self.post({**body, "idempotency_key": str(uuid.uuid4())}).status for _ in range(2)], [200, 200])

    def test_always_unique(self):
        body = request(name="unique")
        self.assertEqual([self.post(body).status for _ in range(3)], [200] * 3)

    def test_a_request_may_say_it(self):
        body = request(identity_strategy="always_unique")
        self.assertEqual([self.post(body).status for _ in range(3)], [200] * 3)
        body = request(name="unique", identity_strategy="strict")
        self.assertEqual([self.post(body).status for _ in range(2)], [200, 409])
        answer = self.post(request(identity_strategy="caller_provided"))
        self.assertEqual((answer.status, answer.error["message"]), (400, "idempotency_key is required: this request for chain has identity_strategy caller_provided"))
        answer = self.post(request(identity_strategy="sometimes"))
        self.assertEqual((answer.status, answer.error["message"]), (400, "identity_strategy: must be strict, caller_provided or always_unique, found 'sometimes'"))
        self.assertEqual(self.post(request(identity_strategy=None)).status, 200)
        self.assertEqual(self.post(request(identity_strategy=7)).status, 422)

    def test_many_at_once_are_one_task(self):
        for fields, others in (({}, 409), ({"idempotency_key": str(uuid.uuid4())}, 200)):
            body = request(**fields)
            with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
                answers = list(pool.map(lambda n, body=body: self.s.call("POST", "/v1/tasks", body, base=self.bases[n % 2]), range(TOGETHER)))
            self.assertEqual(sorted(a.status for a in answers), sorted([200] + [others] * (TOGETHER - 1)))
            self.assertEqual(len({a.json["task_uuid"] for a in answers if a.status == 200}), 1)
            self.assertEqual(self.s.value("SELECT count(*) FROM tasker.tasks WHERE context->>'run' = $1", body["context"]["run"]), 1)
            self.assertEqual(self.s.wait(next(a.json["task_uuid"] for a in answers if a.status == 200))["status"], "complete")
        self.s.doctor()
