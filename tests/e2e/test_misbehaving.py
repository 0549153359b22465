# SPDX-License-Identifier: MIT
"""Handlers that crash, hang, answer too much or nonsense, or that nobody has: each costs its own attempts and nothing else.

Every test looks at the step as the API tells it, at its rows, and at its history."""
import os
import unittest

from lib.gate import Gate
from lib.system import OWN, System, eventually

FAILED_ONCE = [("pending", "in_progress", 1, None), ("in_progress", "waiting_for_retry", 1, None)]
AGAIN = ([("waiting_for_retry", "in_progress", 2, None)],  # whether a permit is free for its namespace in the moment it is due is luck
         [("waiting_for_retry", "enqueued", 1, None), ("enqueued", "in_progress", 2, None)])


def twice(end):
    """The histories of a step whose second attempt ended so."""
    return [[*FAILED_ONCE, *again, ("in_progress", end, 2, None)] for again in AGAIN]


class Misbehaving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(env={"TASKER_WORKER_RESULT_MAX": "64k"})
        cls.addClassCleanup(cls.s.stop)

    def setUp(self):
        if not self.s.alive(self.s.process("worker")["pid"]):  # a test before this one failed in its middle
            self.s.respawn("worker")

    def tearDown(self):
        self.s.doctor()
        self.assertEqual(self.s.metric(self.s.rest, "tasker_orchestrator_sweeper_repairs_total"), 0)

    # -- looking --

    def journal(self, task):
        """What the handlers of that task wrote down: (what, step, attempt)."""
        if not os.path.exists(self.s.journal):
            return []
        with open(self.s.journal, encoding="utf-8") as f:
            words = [line.split() for line in f]
        return [(w[0], w[2], int(w[3])) for w in words if w[1] == task]

    def steps(self, task):
        return {s["name"]: s for s in self.s.call("GET", f"/v1/tasks/{task}/workflow_steps").json}

    def row(self, task, step):
        r, = self.s.sql("SELECT state, attempts, forgiven, losses FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = $2", task, step)
        return r.state, r.attempts, r.forgiven, r.losses

    def results(self, task, step):
        """(attempt, success, error type) of every stored result."""
        return [(r.attempt, r.success, r.kind) for r in self.s.sql(
            "SELECT r.attempt, r.success, r.result->'metadata'->>'error_type' AS kind FROM tasker.step_results r JOIN tasker.workflow_steps s "
            "USING (workflow_step_uuid) WHERE s.task_uuid = $1 AND s.name = $2 ORDER BY 1", task, step)]

    def history(self, task, step):
        return [(r.from_state, r.to_state, r.attempt, r.reason) for r in self.s.sql(
            "SELECT x.from_state, x.to_state, x.attempt, x.reason FROM tasker.workflow_step_transitions x JOIN tasker.workflow_steps s "
            "USING (workflow_step_uuid) WHERE s.task_uuid = $1 AND s.name = $2 ORDER BY x.at", task, step)]

    def failed(self, name, context, step, seconds=30):
        """Runs a task that must end blocked by that step; the step's error."""
        task = self.s.run("tests", name, context, seconds)
        self.assertEqual((task["status"], task["failed_steps"]), ("blocked_by_failures", 1), task)
        self.assertEqual(task["by_name"][step]["current_state"], "error")
        return task["task_uuid"], task["by_name"][step]["results"]["error"]

    def crash(self, name, **context):
        """Submits a task whose handler ends the worker, and brings the worker back."""
        task = self.s.submit("tests", name, {"journal": self.s.journal, **context})
        pid = self.s.process("worker")["pid"]
        eventually(lambda: not self.s.alive(pid), 20, "the handler has ended its worker")
        self.s.respawn("worker")
        return task

    # -- crashes --

    def test_a_crash_costs_one_attempt_that_does_not_count(self):
        task = self.crash("crash")
        self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertEqual(self.journal(task), [("begin", "before", 1), ("end", "before", 1), ("begin", "crash", 1), ("begin", "crash", 2),
                                              ("begin", "after", 1), ("end", "after", 1)])
        self.assertEqual([self.row(task, step) for step in ("before", "crash", "after")],
                         [("complete", 1, 0, 0), ("complete", 2, 1, 1), ("complete", 1, 0, 0)])
        self.assertEqual(self.results(task, "crash"), [(2, True, None)])
        self.assertEqual(self.steps(task)["crash"]["attempts"], 1)
        self.assertEqual(self.history(task, "crash"),
                         [("pending", "in_progress", 1, None), ("in_progress", "enqueued", 1, "worker lost"), ("enqueued", "in_progress", 2, None),
                          ("in_progress", "complete", 2, None)])

    def test_a_crash_takes_only_what_ran_in_that_worker(self):
        done = self.s.run("tests", "diamond", {"journal": self.s.journal})["task_uuid"]
        with Gate(self.s) as gate:
            beside = self.s.submit("tests", "chain", {"journal": self.s.journal, "gate": gate.path})
            eventually(lambda: ("begin", "one", 1) in self.journal(beside), 20, "a step runs beside")
            self.assertEqual(self.s.wait(self.crash("crash"))["status"], "complete")
        self.assertEqual(self.s.wait(beside)["status"], "complete")
        self.assertEqual([self.row(beside, step) for step in ("one", "two", "three", "four")],
                         [("complete", 2, 1, 1), *[("complete", 1, 0, 0)] * 3])  # the one that ran beside ran again, nothing else did
        self.assertEqual([self.row(done, step) for step in ("start", "left", "right", "join")], [("complete", 1, 0, 0)] * 4)

    def test_a_step_that_must_not_run_twice_is_an_error(self):
        task = self.crash("not_again")
        self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        error = self.steps(task)["crash"]["results"]["error"]
        self.assertEqual((error["error_type"], error["retryable"], error["message"]),
                         ("worker_lost", False, "worker lost while running this step, which must not run twice (retryable: false)"))
        self.assertEqual((self.row(task, "crash"), self.results(task, "crash")), (("error", 1, 0, 1), [(1, False, "worker_lost")]))
        self.assertEqual(self.history(task, "crash"), [("pending", "in_progress", 1, None), ("in_progress", "error", 1, "worker lost")])
        self.assertEqual(self.journal(task), [("begin", "crash", 1)])

    # -- hanging --

    def test_a_hanging_handler_is_given_up_and_what_it_says_late_is_dropped(self):
        worker = self.s.process("worker")["rest"]
        dropped = self.s.metric(worker, "tasker_worker_results_dropped_total")
        with Gate(self.s) as gate:
            task, error = self.failed("hang", {"hang": gate.path, "journal": self.s.journal}, "hang")
            self.assertEqual((error["error_type"], error["retryable"], error["message"]),
                             ("handler_timeout", True, "the handler did not return within 1000 ms"))
            self.assertEqual((self.row(task, "hang"), self.results(task, "hang")),
                             (("error", 2, 0, 0), [(1, False, "handler_timeout"), (2, False, "handler_timeout")]))
            self.assertIn(self.history(task, "hang"), twice("error"))
        eventually(lambda: [w for w, _, _ in self.journal(task)].count("end") == 2, 20, "both handlers return in the end")
        eventually(lambda: self.s.metric(worker, "tasker_worker_permits_in_use") == 0, 20, "their permits are back")
        eventually(lambda: self.s.metric(worker, "tasker_worker_results_dropped_total") - dropped == 2, what="what they said is dropped")
        self.assertEqual(len(self.results(task, "hang")), 2)

    def test_a_hanging_handler_holds_up_only_its_own_permit(self):
        """While it has time, and when it is given up and does not know."""
        with open(os.path.join(OWN, "hang.yaml"), encoding="utf-8") as f:
            patient = f.read().replace("name: hang\n", "name: hang_long\n", 1).replace("timeout_seconds: 1\n", "timeout_seconds: 600\n")
        self.assertEqual(self.s.call("POST", "/v1/templates", patient.encode(), {"Content-Type": "application/yaml"}).status, 201)
        worker = self.s.process("worker")["rest"]
        with Gate(self.s) as gate:
            hang = self.s.submit("tests", "hang_long", {"hang": gate.path, "journal": self.s.journal})
            eventually(lambda: ("begin", "hang", 1) in self.journal(hang), 20, "it hangs")
            self.failed("hang", {"hang": gate.path}, "hang")
            for _ in range(3):
                self.assertEqual(self.s.run("tests", "diamond", {})["status"], "complete")
            self.assertEqual((self.steps(hang)["hang"]["current_state"], self.s.metric(worker, "tasker_worker_overruns")), ("in_progress", 2))
        self.assertEqual(self.s.wait(hang)["status"], "complete")
        eventually(lambda: self.s.metric(worker, "tasker_worker_permits_in_use") == 0, 20, "all have returned")

    # -- answers that are none --

    def test_too_much_is_refused_with_its_limit(self):
        task, error = self.failed("much", {"bytes": 64 * 1024}, "much")
        self.assertEqual((error["error_type"], error["retryable"], error["message"]),
                         ("result_too_large", False, "the result document has more than 65536 bytes (worker.result_max)"))
        self.assertEqual((self.row(task, "much"), self.results(task, "much")), (("error", 1, 0, 0), [(1, False, "result_too_large")]))
        self.assertEqual([self.row(task, step) for step in ("more", "measure")], [("pending", 0, 0, 0)] * 2)

    def test_what_is_just_not_too_much_travels_on(self):
        task = self.s.run("tests", "much", {"bytes": 60000})
        self.assertEqual((task["status"], task["by_name"]["measure"]["results"]["result"]), ("complete", {"total": 120000}))

    def test_nonsense_is_refused_and_the_member_named(self):
        task, error = self.failed("nonsense", {}, "nonsense")
        self.assertEqual((error["error_type"], error["retryable"]), ("invalid_result", False))
        self.assertIn('result member "broken": line 1, column 5', error["message"])
        self.assertEqual((self.row(task, "nonsense"), self.results(task, "nonsense")), (("error", 1, 0, 0), [(1, False, "invalid_result")]))

    # -- errors with a delay, errors for good --

    def test_the_delay_a_handler_asks_for_replaces_the_backoff(self):
        task = self.s.submit("tests", "later", {"delay_ms": 300000})
        eventually(lambda: self.row(task, "later")[0] == "waiting_for_retry", 20, "it waits")
        waiting = self.steps(task)["later"]
        self.assertEqual((waiting["attempts"], waiting["results"]["error"]["message"]), (1, "busy at attempt 1"))
        self.assertEqual(self.s.value("SELECT round(extract(epoch FROM t.due_at - s.last_failure_at) * 1000)::int FROM tasker.step_timers t "
                                      "JOIN tasker.workflow_steps s USING (workflow_step_uuid) WHERE s.task_uuid = $1", task), 300000)
        self.assertEqual(self.s.call("DELETE", f"/v1/tasks/{task}").status, 200)
        task = self.s.submit("tests", "later", {"delay_ms": 400})
        self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertIn(self.history(task, "later"), twice("complete"))
        self.assertEqual(self.results(task, "later"), [(1, False, "Busy"), (2, True, None)])
        apart = self.s.value("SELECT extract(epoch FROM min(at) FILTER (WHERE from_state = 'waiting_for_retry') - "
                             "max(at) FILTER (WHERE to_state = 'waiting_for_retry')) FROM tasker.workflow_step_transitions WHERE task_uuid = $1", task)
        self.assertGreaterEqual(float(apart), 0.4)
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.step_timers"), 0)

    def test_a_permanent_error_ends_it_whatever_attempts_are_left(self):
        task, error = self.failed("later", {"delay_ms": 1, "failures": 5, "gives_up": 2}, "later")
        self.assertEqual((error["error_type"], error["retryable"], error["message"]), ("GaveUp", False, "gave up at attempt 2"))
        self.assertEqual((self.row(task, "later"), self.results(task, "later")), (("error", 2, 0, 0), [(1, False, "Busy"), (2, False, "GaveUp")]))
        self.assertIn(self.history(task, "later"), twice("error"))

    # -- nobody has it --

    def test_a_handler_nobody_has_is_named(self):
        task, error = self.failed("nobody", {}, "nobody")
        self.assertEqual((error["error_type"], error["retryable"]), ("handler_not_found", False))
        self.assertRegex(error["message"], r'^Handler not found: "test\.no_such_handler" \(tried explicit_mapping, .*; \d+ handlers are registered\)$')
        self.assertEqual((self.row(task, "nobody"), self.results(task, "nobody")), (("error", 1, 0, 0), [(1, False, "handler_not_found")]))

    def test_a_namespace_nobody_serves_waits_for_a_worker_that_does(self):
        with open(os.path.join(OWN, "diamond.yaml"), encoding="utf-8") as f:
            text = f.read().replace("namespace_name: tests", "namespace_name: elsewhere")
        self.assertEqual(self.s.call("POST", "/v1/templates", text.encode(), {"Content-Type": "application/yaml"}).status, 201)
        task = self.s.submit("elsewhere", "diamond", {})
        answer = self.s.call("GET", f"/v1/tasks/{task}?wait=300ms").json
        self.assertEqual((answer["completed_steps"], answer["failed_steps"], self.row(task, "start")), (0, 0, ("enqueued", 0, 0, 0)), answer)
        self.assertEqual(self.s.value("SELECT count(*) FROM pgmq.q_worker_elsewhere_queue"), 1)
        self.s.kill("worker")
        self.s.respawn("worker", env={"TASKER_WORKER_NAMESPACES": "elsewhere"})
        self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertEqual([self.row(task, step) for step in ("start", "left", "right", "join")], [("complete", 1, 0, 0)] * 4)
        self.assertEqual(self.s.value("SELECT count(*) FROM pgmq.q_worker_elsewhere_queue"), 0)
