# SPDX-License-Identifier: MIT
"""`GET /v1/tasks/{uuid}/explain` and `tasker explain`: in each situation the reason, until when, and what can be done."""
import os
import unittest

from lib.system import System, eventually, tasker


class Explain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)

    def explain(self, task):
        reply = self.s.call("GET", f"/v1/tasks/{task}/explain")
        self.assertEqual((reply.status, reply.json["task_uuid"]), (200, task))
        return reply.json

    def why(self, explained):
        return {s["name"]: s["why"] for s in explained["steps"]}

    def begun(self, task):
        eventually(lambda: os.path.exists(self.s.journal) and task in open(self.s.journal, encoding="utf-8").read(), what="its handler runs")

    def tearDown(self):
        self.s.doctor()

    def test_a_running_step_and_those_behind_it(self):
        task = self.s.submit("tests", "diamond", {"sleep_ms": 60000, "journal": self.s.journal})
        self.begun(task)
        said = self.explain(task)
        first, *others = said["steps"]
        self.assertEqual((first["state"], first["why"]), ("in_progress", "runs as attempt 1 of 5"))
        self.assertGreater(first["until"], first["since"])
        self.assertEqual((said["workers"], said["status"]), (1, "steps_in_process"))
        self.assertEqual(said["summary"], f"{first['name']} runs as attempt 1 of 5.")
        self.assertIn("log of its worker", said["advice"])
        self.assertEqual({s["why"] for s in others[:2]}, {f"waits for {first['name']} (in_progress)"})
        self.assertRegex(others[2]["why"], r"^waits for \w+ \(pending\), \w+ \(pending\)$")
        self.s.call("DELETE", f"/v1/tasks/{task}")
        said = self.explain(task)
        self.assertEqual((said["summary"], said["advice"], said["steps"]), ("It has ended: cancelled (cancelled by request).", None, []))

    def test_what_failed_and_what_can_be_done(self):
        task = self.s.submit("rust_e2e_linear", "mathematical_sequence", {"even_number": 7})
        self.s.wait(task)
        said = self.explain(task)
        self.assertEqual(said["steps"][0]["state"], "error")
        self.assertRegex(said["steps"][0]["why"], r"^failed after 1 of 3 attempts: .*7")
        self.assertTrue(said["summary"].startswith(f"It is blocked: {said['steps'][0]['name']} failed after 1 of 3 attempts: "))
        self.assertEqual({s["why"] for s in said["steps"][1:]}, {"will not start: another step has failed"})
        self.assertIn(f"tasker step reset {task} {said['steps'][0]['name']} ", said["advice"])
        shown = tasker("explain", task, env={"TASKER_URL": self.s.rest})
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        self.assertTrue(shown.stdout.startswith(f"blocked_by_failures: {said['summary']}\n{said['advice']}\n{said['dead_letter']['text']}\n\nSTEP "), shown.stdout)

    def test_a_retry_says_when_and_after_what(self):
        task = self.s.submit("tests", "later", {"delay_ms": 60000})
        eventually(lambda: self.s.value("SELECT state FROM tasker.tasks WHERE task_uuid = $1", task) == "waiting_for_retry", what="it waits")
        said = self.explain(task)
        step, = [s for s in said["steps"] if s["state"] == "waiting_for_retry"]
        self.assertRegex(step["why"], r"^attempt 1 of \d+ failed: .+; the next one is due$")
        self.assertGreater(step["until"], step["since"])
        self.s.call("DELETE", f"/v1/tasks/{task}")

    def test_what_ended_by_its_deadline_goes_on_with_what_it_says(self):
        task = self.s.submit("tests", "chain", {"sleep_ms": 400}, timeout_seconds=1)
        self.assertEqual(self.s.wait(task)["status"], "error")
        said = self.explain(task)
        self.assertIn("it was not complete by its deadline", said["summary"])
        self.assertRegex(said["advice"], rf"^Set it going again where it stopped: tasker step reset {task} (one|two|three) --reason \.\.\.$")
        command = said["advice"].partition(": tasker ")[2].split()
        done = tasker(*command[:-1], "it had too little time", env={"TASKER_URL": self.s.rest})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def test_no_worker(self):
        self.s.kill("worker")
        eventually(lambda: self.s.metric(self.s.rest, "tasker_orchestrator_workers_connected") == 0, what="it is gone")
        task = self.s.submit("tests", "chain", {})
        said = self.explain(task)
        self.assertEqual((said["workers"], said["credit"]), (0, 0))
        self.assertEqual(said["summary"], "one is ready, but no worker of namespace tests is connected.")
        self.assertEqual(said["advice"], "Start a worker that has templates of namespace tests.")
        self.s.respawn("worker")
        self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertEqual(self.explain(task)["summary"], "It has ended: complete.")

    def test_unknown_and_bad(self):
        self.assertEqual(self.s.call("GET", "/v1/tasks/00000000-0000-0000-0000-000000000000/explain").status, 404)
        self.assertEqual(self.s.call("GET", "/v1/tasks/zzz/explain").status, 400)
        self.assertEqual(tasker("explain", env={"TASKER_URL": self.s.rest}).returncode, 2)
