# SPDX-License-Identifier: MIT
"""Starts that wait, deadlines, handlers that hang, steps nobody takes: from the request to what the task says afterwards."""
import datetime
import os
import unittest

from lib.clock import SOON, comes, give_up_now
from lib.gate import Gate
from lib.system import OWN, System, eventually, tasker

NOWHERE = b"""
name: nowhere
namespace_name: nowhere
version: 1.0.0
queue_timeout_seconds: 3600
steps:
  - {name: first, handler: {callable: nobody}}
  - {name: second, dependencies: [first], handler: {callable: nobody}}
"""


def setUpModule():
    TimeTest.s = System(env=SOON)
    unittest.addModuleCleanup(TimeTest.s.stop)


class TimeTest(unittest.TestCase):
    def tearDown(self):
        self.s.doctor()
        self.assertEqual(self.s.metric(self.s.rest, "tasker_orchestrator_sweeper_repairs_total"), 0)

    @staticmethod
    def at(seconds):
        return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()

    def get(self, task):
        return self.s.call("GET", f"/v1/tasks/{task}").json

    def explain(self, task):
        return self.s.call("GET", f"/v1/tasks/{task}/explain").json

    def timeline(self, task):
        return self.s.call("GET", f"/v1/tasks/{task}/timeline").json

    def steps(self, task):
        return {s["name"]: s for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json}

    def journal(self, task):
        """What its handlers wrote down: [(what, step, attempt)]."""
        if not os.path.exists(self.s.journal):
            return []
        with open(self.s.journal, encoding="utf-8") as f:
            return [(w[0], w[2], int(w[3])) for w in (line.split() for line in f) if w[1] == task]

    def last_change(self, task):
        return self.s.sql("SELECT to_state::text AS state, metadata ->> 'actor' AS actor, metadata ->> 'reason' AS reason FROM tasker.task_transitions "
                          "WHERE task_uuid = $1 ORDER BY at DESC LIMIT 1", task)[0]

    def cli(self, *args):
        return tasker(*args, env={"TASKER_URL": self.s.rest})


class Starts(TimeTest):
    def test_it_is_there_and_begins_then(self):
        run_at = self.at(3600)
        task = self.s.submit("tests", "chain", {}, run_at=run_at)
        shown = self.get(task)
        self.assertEqual((shown["status"], shown["held"], shown["in_progress_steps"]), ("waiting_for_dependencies", ["start"], 0))
        self.assertEqual(datetime.datetime.fromisoformat(shown["run_at"]), datetime.datetime.fromisoformat(run_at))
        said = self.explain(task)
        self.assertEqual(said["summary"], f"It is held: it starts at {shown['run_at']} (run_at).")
        self.assertEqual(said["steps"][0]["until"], shown["run_at"])
        self.assertIn(task, [t["task_uuid"] for t in self.s.call("GET", "/v1/tasks?namespace=tests").json["tasks"]])
        self.assertEqual(self.s.call("DELETE", f"/v1/tasks/{task}").status, 200)
        run_at = self.at(1.5)
        task = self.s.submit("tests", "chain", {"journal": self.s.journal}, run_at=run_at)
        done = self.s.wait(task)
        self.assertEqual((done["status"], done["held"], done["message"]), ("complete", [], None))
        first = datetime.datetime.fromisoformat(self.steps(task)["one"]["dispatched_at"])
        self.assertGreaterEqual(first, datetime.datetime.fromisoformat(run_at))
        self.assertEqual([j for j in self.journal(task) if j[1] == "one"], [("begin", "one", 1), ("end", "one", 1)])
        apart = datetime.datetime.fromisoformat(run_at) - datetime.datetime.fromisoformat(done["created_at"])
        ready_ms = self.timeline(task)["attempts"][0]["ready_ms"]
        self.assertGreaterEqual(ready_ms + 1, apart.total_seconds() * 1000, "waiting for its start is not waiting for a worker")

    def test_cancelled_before(self):
        task = self.s.submit("tests", "chain", {"journal": self.s.journal}, run_at=self.at(3600))
        self.assertEqual(self.s.call("DELETE", f"/v1/tasks/{task}").json["status"], "cancelled")
        self.s.sql("UPDATE tasker.tasks SET run_at = clock_timestamp() WHERE task_uuid = $1", task)
        later = self.s.submit("tests", "chain", {}, run_at=self.at(0.5))
        self.assertEqual(self.s.wait(later)["status"], "complete")
        self.assertEqual((self.get(task)["status"], self.journal(task)), ("cancelled", []))

    def test_from_the_command_line(self):
        done = self.cli("task", "submit", "tests/chain", "--context", '{"cli": 1}', "--run-at", "+1h", "--task-timeout", "10m", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        task = [t["task_uuid"] for t in self.s.call("GET", "/v1/tasks?namespace=tests").json["tasks"]][0]
        shown = self.get(task)
        left = datetime.datetime.fromisoformat(shown["run_at"]) - datetime.datetime.now(datetime.timezone.utc)
        self.assertTrue(3500 < left.total_seconds() <= 3600, left)
        self.assertEqual(datetime.datetime.fromisoformat(shown["deadline"]) - datetime.datetime.fromisoformat(shown["run_at"]), datetime.timedelta(minutes=10))
        self.assertIn(f"run_at             {shown['run_at']}", self.cli("task", "get", task).stdout)
        self.assertIn("It is held: it starts at", self.cli("explain", task).stdout)
        self.assertIn(f"to start at {shown['run_at']}", self.cli("task", "timeline", task).stdout)
        self.assertEqual(self.cli("task", "cancel", task).returncode, 0)
        for option, value in (("--run-at", "tomorrow"), ("--run-at", "2026-01-31T12:00:00"), ("--deadline", "10m"), ("--task-timeout", "500ms"), ("--task-timeout", "x")):
            done = self.cli("task", "submit", "tests/chain", option, value)
            self.assertEqual(done.returncode, 2, (option, value))
            self.assertIn(f"{option} {value}: expected", done.stderr)
        done = self.cli("task", "submit", "tests/chain", "--run-at", "+500d")
        self.assertEqual(done.returncode, 1)
        self.assertIn("run_at: may be 366 days ahead at most", done.stderr)


class Deadlines(TimeTest):
    def test_an_error_with_its_message_and_the_handler_is_told(self):
        task = self.s.submit("tests", "chain", {"sleep_ms": 60000, "journal": self.s.journal}, timeout_seconds=3600)
        eventually(lambda: ("begin", "one", 1) in self.journal(task), what="its handler runs")
        self.assertIn("It ends at ", self.explain(task)["summary"])
        comes(self.s, [task])
        done = self.s.wait(task)
        self.assertEqual(done["status"], "error")
        self.assertEqual(done["message"], f"it was not complete by its deadline, {done['deadline']}")
        eventually(lambda: ("cancelled", "one", 1) in self.journal(task), what="its handler was told")
        eventually(lambda: self.s.metric(self.s.process("worker")["rest"], "tasker_worker_results_unacknowledged") == 0, what="its late result is answered")
        self.assertEqual({s["current_state"] for s in self.steps(task).values()}, {"cancelled"})
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.step_results WHERE task_uuid = $1", task), 0, "and refused")
        last = self.last_change(task)
        self.assertEqual((last.state, last.actor, last.reason), ("error", "timer", done["message"]))
        self.assertEqual(self.explain(task)["summary"], f"It has ended: error ({done['message']}).")
        self.assertEqual(self.timeline(task)["message"], done["message"])
        self.assertIn(done["message"], self.cli("task", "timeline", task).stdout)
        self.assertGreaterEqual(self.s.metric(self.s.rest, "tasker_orchestrator_timeouts_total"), 1)

    def test_the_templates_own_cancels(self):
        task = self.s.submit("tests", "limited", {"sleep_ms": 60000})
        self.assertEqual(self.s.wait(task)["status"], "cancelled")

    def test_the_request_may_give_more(self):
        task = self.s.submit("tests", "limited", {"sleep_ms": 700}, timeout_seconds=60)
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def test_a_deadline_ends_a_blocked_task(self):
        task = self.s.submit("rust_e2e_linear", "mathematical_sequence", {"even_number": 7}, deadline=self.at(3600))
        self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        comes(self.s, [task])
        eventually(lambda: self.get(task)["status"] == "error", what="it ends")
        self.assertEqual(self.steps(task)["linear_step_1"]["current_state"], "error")


class Handlers(TimeTest):
    """A handler that does not look at anything loses its step at its time, whatever its template says then."""

    def test_error(self):
        with Gate(self.s) as gate:
            task = self.s.run("tests", "hang_error", {"hang": gate.path, "journal": self.s.journal})
            self.assertEqual((task["status"], task["failed_steps"]), ("blocked_by_failures", 1))
            step = task["by_name"]["hang"]
            self.assertEqual((step["attempts"], step["results"]["error"]["error_type"]), (1, "handler_timeout"))
        self.returned(task["task_uuid"])
        self.assertEqual(self.get(task["task_uuid"])["status"], "blocked_by_failures")

    def test_retry(self):
        with Gate(self.s) as gate:
            task = self.s.run("tests", "hang", {"hang": gate.path, "journal": self.s.journal})
            self.assertEqual(task["status"], "blocked_by_failures")
            self.assertEqual(task["by_name"]["hang"]["attempts"], 2, "all its attempts")
        self.returned(task["task_uuid"], 2)

    def test_cancel(self):
        with Gate(self.s) as door, Gate(self.s) as gate:
            task = self.s.submit("tests", "hang_cancel", {"gate": door.path, "hang": gate.path, "journal": self.s.journal})
            eventually(lambda: ("begin", "beside", 1) in self.journal(task), what="it runs, and will beside the one that hangs")
            door.open()
            done = self.s.wait(task)
            self.assertEqual((done["status"], done["message"]), ("cancelled", "step hang has timed out"))
            self.assertEqual({n: s["current_state"] for n, s in self.steps(task).items()}, {"door": "complete", "hang": "cancelled", "beside": "cancelled"})
            eventually(lambda: ("cancelled", "beside", 1) in self.journal(task), what="the other handler was told")
        self.returned(task)
        self.assertEqual(self.get(task)["status"], "cancelled")

    def test_how_long_it_has_is_explained(self):
        with open(os.path.join(OWN, "hang_cancel.yaml"), encoding="utf-8") as f:
            patient = f.read().replace("name: hang_cancel\n", "name: hang_long\n", 1).replace("timeout_seconds: 1\n", "timeout_seconds: 600\n")
        self.assertEqual(self.s.call("POST", "/v1/templates", patient.encode(), {"Content-Type": "application/yaml"}).status, 201)
        with Gate(self.s) as gate:
            task = self.s.submit("tests", "hang_long", {"hang": gate.path, "journal": self.s.journal})
            eventually(lambda: ("begin", "hang", 1) in self.journal(task), what="it hangs")
            self.assertIn("its handler has 600 s, then: cancel", [s["why"] for s in self.explain(task)["steps"] if s["name"] == "hang"][0])
            self.assertEqual(self.s.call("DELETE", f"/v1/tasks/{task}").status, 200)

    def returned(self, task, n=1):
        """The handlers that hung came back, with nothing to say any more."""
        eventually(lambda: sum(j[:2] == ("end", "hang") for j in self.journal(task)) == n, what="the handler returns")
        eventually(lambda: self.s.metric(self.s.process("worker")["rest"], "tasker_worker_overruns") == 0, what="its place is free again")
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.step_results r JOIN tasker.workflow_steps s USING (workflow_step_uuid) "
                                      "WHERE s.task_uuid = $1 AND s.name = 'hang' AND r.success", task), 0)


class Queues(TimeTest):
    def test_a_step_that_no_worker_takes(self):
        self.assertEqual(self.s.call("POST", "/v1/templates", NOWHERE, {"Content-Type": "application/yaml"}).json["outcome"], "registered")
        task = self.s.submit("nowhere", "nowhere", {})
        said = self.explain(task)["steps"][0]
        self.assertRegex(said["why"], r"^is ready, but no worker of namespace nowhere is connected; given up at .+Z \(queue_timeout_seconds\), then: error$")
        self.assertIsNotNone(said["until"])
        self.assertEqual(len(give_up_now(self.s, task)), 1)
        done = self.s.wait(task)
        self.assertEqual(done["status"], "blocked_by_failures")
        step = self.steps(task)["first"]
        self.assertEqual((step["current_state"], step["attempts"]), ("error", 0))
        self.assertEqual(step["results"]["error"]["message"], "no worker took it within 3600 s (queue_timeout_seconds)")
        self.assertEqual(self.cli("step", "reset", task, "first", "--reason", "a worker comes").returncode, 0)
        eventually(lambda: give_up_now(self.s, task), what="it is in the queue again")
        eventually(lambda: self.get(task)["status"] == "blocked_by_failures", what="given up again")

    def test_one_that_is_tried_again(self):
        """A second in the queue, twice, with a pause between them, then an error; all of it in its history."""
        template = NOWHERE.replace(b"name: nowhere\n", b"name: nowhere_again\n", 1).replace(b"queue_timeout_seconds: 3600", b"queue_timeout_seconds: 1\non_queue_timeout: retry")
        template = template.replace(b"{callable: nobody}}", b"{callable: nobody}, retry: {max_attempts: 2, backoff_base_ms: 10}}", 1)
        self.assertEqual(self.s.call("POST", "/v1/templates", template, {"Content-Type": "application/yaml"}).json["outcome"], "registered")
        task = self.s.submit("nowhere", "nowhere_again", {})
        self.assertRegex(self.explain(task)["steps"][0]["why"], "then: retry$|failed.*: no worker took it within 1 s")
        self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        step = self.steps(task)["first"]
        self.assertEqual((step["current_state"], step["attempts"]), ("error", 2))
        changes = self.s.sql("SELECT from_state::text, to_state::text FROM tasker.workflow_step_transitions WHERE workflow_step_uuid = $1 ORDER BY at", step["step_uuid"])
        self.assertEqual([tuple(c.values()) for c in changes].count(("enqueued", "in_progress")), 2)
        self.assertIn(("in_progress", "waiting_for_retry"), [tuple(c.values()) for c in changes])
        told = self.cli("task", "history", task).stdout
        self.assertRegex(told, r"(?s)waiting_for_retry +tasker +no worker took it in time, and it is tried again\n.*error +tasker +no worker took it in time\n")
        self.assertNotIn("its handler", told)


class Example(TimeTest):
    """examples/templates/quotes.yaml"""

    def result(self, task, step):
        return task["by_name"][step]["results"]["result"]

    def test_in_time(self):
        task = self.s.run("time_limits", "compare_quotes", {})
        self.assertEqual(task["status"], "complete")
        self.assertEqual(self.result(task, "compare"), {"supplier": "north", "price": 120.5})
        self.assertEqual(self.result(task, "book")["supplier"], "north")
        self.assertRegex(self.result(task, "book")["booking_id"], "^BOOK-")
        self.assertEqual(datetime.datetime.fromisoformat(task["deadline"]) - datetime.datetime.fromisoformat(task["created_at"]), datetime.timedelta(seconds=60))

    def test_a_slow_supplier_is_asked_again(self):
        task = self.s.run("time_limits", "compare_quotes", {"slow": "north"})
        self.assertEqual(task["status"], "complete")
        self.assertEqual((self.result(task, "ask_north")["attempt"], task["by_name"]["ask_north"]["attempts"]), (2, 2))
        self.assertEqual(self.s.sql("SELECT r.attempt, r.result -> 'metadata' ->> 'error_type' AS kind FROM tasker.step_results r JOIN tasker.workflow_steps s "
                                    "USING (workflow_step_uuid) WHERE s.task_uuid = $1 AND s.name = 'ask_north' ORDER BY 1", task["task_uuid"]),
                         [{"attempt": 1, "kind": "handler_timeout"}, {"attempt": 2, "kind": None}])

    def test_one_that_may_not_be_asked_again_blocks(self):
        task = self.s.run("time_limits", "compare_quotes", {"slow": "south"})
        self.assertEqual((task["status"], task["by_name"]["ask_south"]["current_state"]), ("blocked_by_failures", "error"))

    def test_a_booking_that_hangs_ends_it(self):
        task = self.s.run("time_limits", "compare_quotes", {"slow": "booking"})
        self.assertEqual((task["status"], task["message"]), ("cancelled", "step book has timed out"))
        self.assertEqual(task["by_name"]["compare"]["current_state"], "complete")
