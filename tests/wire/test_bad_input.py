# SPDX-License-Identifier: MIT
"""What must never get in, over REST and as template files: each is refused, says what is wrong, and no process dies."""
import json
import unittest
import uuid

from lib.system import System
from test_rest import curl, request

MIB = 1 << 20


def template(steps, head=b"name: bad\nnamespace_name: wire_bad\nversion: 1.0.0\n"):
    return head + b"steps:\n" + steps


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(workers=1)
        cls.addClassCleanup(cls.s.stop)
        cls.pids = [p["pid"] for kind in ("orchestrators", "workers", "caches") for p in cls.s.endpoints[kind]]

    def tearDown(self):
        self.assertEqual([self.s.alive(p) for p in self.pids], [True] * len(self.pids), self.s.logs())
        self.assertEqual(self.s.run("tests", "chain", {})["status"], "complete")
        self.s.doctor()

    def submit(self, raw):
        before = self.s.value("SELECT count(*) FROM tasker.tasks")
        answer = curl(self.s.rest + "/v1/tasks", data=raw)
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.tasks"), before, "nothing half done")
        return answer

    def refused(self, raw, status, *words):
        answer = self.submit(raw)
        self.assertEqual(answer.status, status, answer.body[:300])
        for word in words:
            self.assertIn(word, answer.body.decode())

    # -- tasks --

    def test_broken_json_says_line_and_column(self):
        self.refused(b'{"name": "chain",\n  "namespace" "tests"}', 400, "line 2", "column")
        self.refused(b"", 400)
        self.refused(b"null", 422)
        self.refused(b"[1,2]", 422)
        self.refused(b'{"name": "chain"', 400, "line 1")

    def test_invalid_utf8_and_nul(self):
        body = json.dumps(request()).encode()
        self.refused(body.replace(b'"contract"', b'"\xff\xfe"'), 400)
        self.refused(body.replace(b'"contract"', b'"a\\u0000b"'), 400)
        self.refused(body.replace(b'"contract"', b'"a\x00b"'), 400)
        self.refused(json.dumps(request(context={"a": "x\x00y"})).encode(), 400)
        self.refused(body.replace(b'"contract"', b'"\\ud800"'), 400)

    def test_a_body_of_ten_megabytes_is_413(self):
        answer = self.submit(json.dumps(request(context={"a": "x" * (10 * MIB)})).encode())
        self.assertEqual(answer.status, 413)
        self.assertIn(b"length limit exceeded: at most 2097152 bytes", answer.body)

    def test_the_limit_of_bodies_is_the_configured_one(self):
        small = System(env={"TASKER_REST_BODY_MAX": "4k"})
        self.addCleanup(small.stop)
        sizes = [curl(small.rest + "/v1/tasks", data=json.dumps(request(context={"a": "x" * n})).encode()).status for n in (3000, 5000)]
        self.assertEqual(sizes, [200, 413])

    def test_depth_width_and_length_of_the_context(self):
        self.refused(json.dumps(request()).encode().replace(b'"contract"', b"[" * 200 + b"]" * 200), 400)
        self.refused(json.dumps(request()).replace('"context": {', '"context": {"deep": ' + '{"a":' * 200 + "1" + "}" * 200 + ", ").encode(), 400)
        self.refused(json.dumps(request(context={"a": list(range(1001))})).encode(), 400, "1000")
        self.refused(json.dumps(request(context={f"k{i}": i for i in range(1001)})).encode(), 400, "1000")
        self.refused(json.dumps(request(context={"a": "x" * 10001})).encode(), 400, "10000")
        self.refused(json.dumps(request(context={"k" * 10001: 1})).encode(), 400, "10000")
        self.refused(json.dumps(request(context={f"k{i}": "x" * 9000 for i in range(150)})).encode(), 400)

    def test_numbers_that_fit_nowhere(self):
        body = json.dumps(request(priority=5)).encode()
        for number in (b"1e999", b"123456789012345678901234567890", b"-2147483649"):
            self.assertEqual(self.submit(body.replace(b'"priority": 5', b'"priority": ' + number)).status // 100, 4, number)

    def test_the_same_member_twice_is_refused(self):
        self.assertEqual(self.submit(json.dumps(request()).replace('"name": "chain"', '"name": "chain", "name": "chain"').encode()).status, 400)

    def test_sql_and_markup_are_only_text(self):
        words = "'; DROP TABLE tasker.tasks; -- <script>alert(1)</script> %s %n \\ \" 𝄞"
        answer = curl(self.s.rest + "/v1/tasks", data=json.dumps(request(context={"text": words, "run": str(uuid.uuid4())})).encode())
        self.assertEqual((answer.status, answer.json["context"]["text"]), (200, words))
        self.assertEqual(curl(self.s.rest + "/v1/tasks?namespace=%27%3B%20DROP").status, 200)
        self.assertEqual(curl(self.s.rest + "/v1/tasks/%00").status // 100, 4)

    # -- templates --

    def apply(self, yaml):
        return curl(self.s.rest + "/v1/templates?file=bad.yaml", data=yaml)

    def test_bad_templates_name_file_line_and_reason(self):
        step = b"  - {name: a, handler: {callable: x}}\n"
        cases = {
            "malformed": (b"name: [\n", "bad.yaml:"),
            "no steps": (b"name: bad\nnamespace_name: wire_bad\nversion: 1.0.0\n", "steps"),
            "cycle": (template(b"  - {name: a, dependencies: [c], handler: {callable: x}}\n  - {name: b, dependencies: [a], handler: {callable: x}}\n"
                               b"  - {name: c, dependencies: [b], handler: {callable: x}}\n"), "circle"),
            "itself": (template(b"  - {name: a, dependencies: [a], handler: {callable: x}}\n"), "a"),
            "unknown dependency": (template(b"  - {name: a, dependencies: [nobody], handler: {callable: x}}\n"), "nobody"),
            "duplicate step": (template(step + step), "second time"),
            "wrong type": (template(b"  - {name: a, handler: {callable: x}, timeout_seconds: soon}\n"), "timeout_seconds"),
            "out of range": (template(b"  - {name: a, handler: {callable: x}, retry: {max_attempts: -1}}\n"), "max_attempts"),
            "no callable": (template(b"  - {name: a}\n"), "handler"),
            "two documents": (template(step) + b"---\n" + template(step), "document"),
            "bomb": (b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)), ""),
            "utf-8": (template(b"  - {name: \"\xff\", handler: {callable: x}}\n"), ""),
            "nul": (template(b"  - {name: \"a\\0b\", handler: {callable: x}}\n"), ""),
            "deep": (template(b"  - {name: a, handler: {callable: x, initialization: " + b"{a: " * 200 + b"1" + b"}" * 200 + b"}}\n"), ""),
        }
        for name, (yaml, word) in cases.items():
            with self.subTest(name):
                answer = self.apply(yaml)
                self.assertEqual(answer.status, 400, answer.body[:300])
                self.assertIn("bad.yaml", answer.error["message"])
                self.assertIn(word, answer.error["message"])
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.named_tasks nt WHERE nt.name = 'bad'"), 0)

    def test_a_changed_template_under_the_same_version_is_refused_unless_asked_for(self):
        def yaml(callable_):
            return template(b"  - {name: a, handler: {callable: %s}}\n" % callable_, b"name: versioned\nnamespace_name: wire_bad\nversion: 1.0.0\n")
        self.assertEqual(self.apply(yaml(b"x")).status // 100, 2)
        self.assertEqual(self.apply(yaml(b"x")).status // 100, 2, "the same again is no change")
        self.assertEqual(self.apply(yaml(b"y")).status, 409)
        replaced = curl(self.s.rest + "/v1/templates?file=bad.yaml&replace=true", data=yaml(b"y"))
        self.assertEqual(replaced.status // 100, 2)

    # -- the transport --

    def test_bad_targets(self):
        for target in ("/v1/tasks/%zz", "/v1/tasks?page=1&page=2", "/v1/tasks?x=%ff", "/" + "a" * 9000):
            self.assertEqual(curl(self.s.rest + target).status // 100, 4, target[:40])
