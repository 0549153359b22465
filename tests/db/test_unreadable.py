# SPDX-License-Identifier: MIT
"""Results that json keeps and text does not (\\u0000, half of a surrogate pair), as a worker of another language may hand them in: they are
results like any other, and nothing that looks at them later falls over them, least of all work of others."""
import json

import sub_tasks
from engine import DbTest, kinds, of
from lib.pg import PgError

BACKSLASH = "\\"
TEXTS = {r'"a\u0000b"': r"a\u0000b", r'"caf\u00e9 \u0000"': r"café \u0000", r'"\ud800 \u00e9"': r"\ud800 \u00e9", r'"\ude00\ud83d"': r"\ude00\ud83d",
         r'"\\u0000"': r"\u0000", r'"\\\u0000"': BACKSLASH + r"\u0000", r'"\ud83d\ude00"': "\U0001f600", r'"\\ud83d\ude00"': r"\ud83d\ude00",
         r'"\ud83d\\ude00"': r"\ud83d\ude00", '"plain"': "plain", r'"\u0000\u0000"': r"\u0000\u0000"}


class Readable(DbTest):
    def test_what_text_cannot_hold_is_spelled_out(self):
        for document, said in TEXTS.items():
            with self.subTest(document):
                self.assertEqual(self.c.value("SELECT tasker._readable(json_build_object('a', $1::json)) ->> 'a'", document), said)
                self.assertEqual(self.c.value("SELECT tasker._as_jsonb(json_build_object('a', $1::json)) ->> 'a'", document), said)

    def test_what_can_be_read_is_not_touched(self):
        document = r'{"b":  1, "a": "\u00e9\ud83d\ude00", "a": 1e400}'
        self.assertEqual(self.c.value("SELECT tasker._readable($1::json)::text", document), document)

    def test_what_jsonb_does_not_take_at_all(self):
        self.assertEqual(self.c.value("SELECT coalesce(tasker._as_jsonb($1::json)::text, 'none')", '{"a": 1e999999}'), "none")


class Unreadable(DbTest):
    FAILED = {"success": False, "error": {"message": "no \0 way", "error_type": "Odd"}, "metadata": {"retryable": True}}
    DONE = {"success": True, "result": {"text": "a\0b"}}
    SAID = r"no \u0000 way"

    def fails(self, assigns, retryable=False, **kwargs):
        return self.e.settle(assigns, success=False, retryable=retryable, result=self.FAILED, **kwargs)

    def test_a_failure_that_blocks_its_task_keeps_its_words(self):
        task, a = self.start({"one": [], "two": ["one"]})
        rows = self.fails(a)
        self.assertEqual((kinds(rows), self.e.task(task).state), ({"failed": 1, "done": 1}, "blocked_by_failures"))
        entry, = self.e.entries(task)
        self.assertEqual(entry["task_snapshot"]["steps"][0]["error"], self.SAID)
        self.assertIn(self.SAID, json.loads(self.c.value("SELECT tasker.explain_task($1, '{}', '{}', '{}')", task))["summary"])
        summary = json.loads(self.c.value("SELECT tasker.task_summary($1)", task))
        self.assertEqual(summary["steps"][0]["error"]["error_type"], "Odd")
        self.e.act(task, "one", "complete_manually", data={"result": {"by": "hand"}})
        self.assertEqual(self.e.states(task), {"one": "complete", "two": "enqueued"})

    def test_an_error_of_another_shape(self):
        for error, said in (({"error_type": "Odd", "retryable": "perhaps"}, {"error_type": "Odd", "retryable": False, "status_code": None}), (["a"], None), ("just words", None)):
            task, a = self.start({"one": []})
            self.e.settle(a, success=False, retryable=False, result={"success": False, "error": error})
            self.assertEqual(json.loads(self.c.value("SELECT tasker.task_summary($1)", task))["steps"][0]["error"], said)
            self.assertIn("It is blocked", json.loads(self.c.value("SELECT tasker.explain_task($1, '{}', '{}', '{}')", task))["summary"])
        for document in ([], 7, "words"):
            task, a = self.start({"one": []})
            self.e.settle(a, success=False, retryable=False, result=document)
            self.assertEqual(self.e.task(task).state, "blocked_by_failures")
            self.assertIn("no message", self.c.value("SELECT tasker.explain_task($1, '{}', '{}', '{}')", task))

    def test_others_of_its_transaction_are_not_held_up(self):
        """One was tried again and its words are kept; what another says for good is the reason that the task is blocked."""
        task, (a, b) = self.start({"one": [], "two": []})
        self.assertEqual(kinds(self.fails([a], retryable=True))["retry"], 1)
        rows = self.e.settle([b], success=False, retryable=False)
        self.assertEqual((kinds(rows)["failed"], self.e.task(task).state), (1, "blocked_by_failures"))

    def test_timers_and_the_look_for_stale_tasks_go_on(self):
        template = self.e.register({"one": [], "two": []}, two={"queue_timeout_ms": 5000, "on_queue_timeout": "error"})
        rows = self.e.create(template, credit=1)
        task = self.one(rows, "created").task_uuid
        self.fails(of(rows, "assign"), retryable=True, credit={})
        self.e.pass_time(6)
        rows = self.e.fire({})
        self.assertEqual((kinds(rows)["timed_out"], self.e.task(task).state), (1, "blocked_by_failures"))
        other = self.e.create(self.e.register({"one": []}), credit=1)
        stale = self.one(other, "created").task_uuid
        self.fails(of(other, "assign"), retryable=True)
        self.e.age(stale, 600)
        self.e.detect()
        self.assertEqual([e.dlq_reason for e in self.e.entries(stale)], ["staleness_timeout"])

    def test_a_timeout_is_one_whatever_else_it_says(self):
        task, a = self.start({"one": []}, one={"on_timeout": "cancel"})
        self.e.settle(a, success=False, result={**self.FAILED, "metadata": {"error_type": "handler_timeout"}})
        self.assertEqual(self.e.task(task).state, "cancelled")

    def test_a_rerun_above_a_decision(self):
        task, a = self.start({"one": [], "choose": ["one"], "left": ["choose"]}, choose={"step_type": "decision"})
        a = of(self.e.settle(a), "assign")
        self.e.settle(a, result={"success": True, "result": {"decision_point_outcome": {"type": "no_branches"}, "text": "\0"}})
        self.e.rerun(task, "one")
        self.assertEqual(self.e.states(task)["one"], "enqueued")


class SubTasks(DbTest):
    def begin(self):
        rows = self.e.create(self.e.register({"order": [], "last": ["order"]}), credit=1)
        a, = of(rows, "assign")
        return a.task_uuid, sub_tasks.start(self.e, a, self.e.register({"pick": []}))

    def parent_of(self, success, result):
        task, rows = self.begin()
        self.e.settle(of(rows, "assign"), success=success, retryable=False, result=result)
        return task, self.one(rows, "waits").task_uuid

    def test_one_does_not_stop_all_others(self):
        odd, _ = self.parent_of(True, Unreadable.DONE)
        bad, child = self.parent_of(False, Unreadable.FAILED)
        plain, _ = self.parent_of(True, {"success": True, "result": {"n": 1}})
        sub_tasks.look_at_all(self.e)
        said = {task: json.loads(self.c.value("SELECT r.result FROM tasker.step_results r WHERE r.task_uuid = $1 AND attempt = 1", task)) for task in (odd, bad, plain)}
        self.assertEqual([said[t]["result"].get("results") for t in (odd, bad, plain)], [{"pick": {"text": r"a\u0000b"}}, None, {"pick": {"n": 1}}])
        self.assertIn(f"step pick failed: {Unreadable.SAID}", said[bad]["error"]["message"])
        self.assertEqual([self.e.step(t, "order").state for t in (odd, bad, plain)], ["complete", "waiting_for_retry", "complete"])
        self.assertEqual(self.e.task(child).state, "error")


class Deep(DbTest):
    def test_nested_too_deeply_is_the_results_own_fault(self):
        """54001, which the orchestrator takes as it takes what is no JSON: the result is refused, and no other."""
        _, (a,) = self.start({"one": []})
        with self.assertRaises(PgError) as caught:
            self.c.query("SELECT * FROM tasker.settle_steps($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)", [a.step_uuid], [a.task_uuid], [1], [a.msg_id], [True], [True],
                         [-1], ["[" * 100000 + "]" * 100000], ["w"], [5], [], [], 1000, "00000000-0000-0000-0000-000000000007", None)
        self.assertEqual(caught.exception.sqlstate, "54001")
