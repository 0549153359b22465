# SPDX-License-Identifier: MIT
"""A task stands still, is found by one of two orchestrators, and is set going again with `tasker dlq`; what an operator types and sees."""
import json
import os
import unittest

from lib.clock import age
from lib.system import System, eventually, tasker

OK, FAILED, USAGE = 0, 1, 2
ENV = {"TASKER_STALENESS_INTERVAL": "1s"}


class DeadLetters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(orchestrators=2, env=ENV)
        cls.addClassCleanup(cls.s.stop)

    def tearDown(self):
        self.s.doctor()

    def run_it(self, *args, exits=OK):
        done = tasker(*args, env={"TASKER_URL": self.s.rest, "USER": "olga"})
        self.assertEqual(done.returncode, exits, done)
        return done.stdout if exits == OK else done.stderr

    def has_written(self, line):
        if not os.path.exists(self.s.journal):
            return False
        with open(self.s.journal, encoding="utf-8") as f:
            return line in f.read()

    def stale(self):
        """A task that was found standing still, and its entry."""
        task = self.s.submit("tests", "stall", {"journal": self.s.journal})
        eventually(lambda: self.has_written(f"begin {task} middle 1"), what="the step that stalls runs")
        age(self.s, task, 3)
        self.assertEqual(self.s.wait(task)["status"], "error")
        return task, json.loads(self.run_it("dlq", "show", task, "--json"))

    def test_found_once_shown_revived_complete(self):
        task, entry = self.stale()
        self.assertEqual((entry["dlq_reason"], entry["original_state"], entry["resolution_status"]), ("StalenessTimeout", "steps_in_process", "Pending"))
        eventually(lambda: self.has_written(f"end {task} middle 1"), what="its worker was told to stop")
        explained = self.run_it("explain", task)
        self.assertIn("nothing of it had moved for 3 minutes", explained)
        self.assertIn(f"tasker dlq revive {entry['dlq_entry_uuid']} --reason", explained)
        shown = self.run_it("dlq", "show", entry["dlq_entry_uuid"])
        self.assertIn("tests/stall@1.0.0, was steps_in_process", shown)
        self.assertIn("nothing of it had moved for 3 minutes, at most 2 are allowed", shown)
        self.assertRegex(shown, r"middle +in_progress +1 of 3")
        self.assertEqual(self.run_it("dlq", "revive", entry["dlq_entry_uuid"], "--reason", "worker replaced"), f"revived {task}\n")
        done = self.s.wait(task)
        self.assertEqual(done["status"], "complete")
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.dead_letters WHERE task_uuid = $1", task), 1)
        self.assertEqual(self.s.value("SELECT string_agg(name || attempts, ' ' ORDER BY step_no) FROM tasker.workflow_steps WHERE task_uuid = $1", task), "first1 middle2 last1")
        self.assertIn("closed   ", self.run_it("dlq", "show", task))
        self.assertIn("the task was set going again", self.run_it("dlq", "show", task))

    def test_many(self):
        tasks = [self.stale()[0] for _ in range(2)]
        words = ("--kind", "staleness_timeout", "--namespace", "tests", "--template", "stall", "--reason", "r")
        self.assertRegex(self.run_it("dlq", "revive", *words, "--dry-run"), r"^would revive 2 of \d+ pending entries\n$")
        self.assertRegex(self.run_it("dlq", "revive", *words), r"^revived 2, 2 matched, \d+ pending entries looked at\n$")
        self.assertEqual({self.s.wait(t)["status"] for t in tasks}, {"complete"})
        self.assertEqual(json.loads(self.run_it("dlq", "resolve", "--all", "--reason", "r", "--json"))["action"], "resolve")

    def test_blocked_tasks_and_what_becomes_of_their_entries(self):
        task = self.s.submit("tests", "blocked", {})
        self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        self.assertIn(task, self.run_it("dlq", "list", "--status", "pending", "--kind", "max_retries_exceeded", "--limit", "5"))
        self.assertIn(task, self.run_it("dlq", "queue", "--after", "2026-01-01T00:00:00Z"))
        self.assertEqual(self.run_it("dlq", "queue", "--before", "2026-01-01T00:00:00Z"), "nothing to look into\n")
        newest, *older = json.loads(self.run_it("dlq", "list", "--json"))
        self.assertEqual(json.loads(self.run_it("dlq", "list", "--cursor", newest["dlq_entry_uuid"], "--json")), older)
        self.assertRegex(self.run_it("dlq", "queue"), r"50\d\.\d +MaxRetriesExceeded")
        self.assertRegex(self.run_it("dlq", "stats"), r"MaxRetriesExceeded +\d+")
        self.run_it("step", "reset", task, "middle", "--reason", "r")
        self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertEqual(eventually(lambda: self.s.sql("SELECT resolved_by, resolution_notes FROM tasker.dead_letters WHERE task_uuid = $1 AND resolution_status <> 'pending'",
                                                       task), what="its entry is closed")[0].resolved_by, "tasker")

    def test_resolving_and_entering(self):
        task = self.s.submit("tests", "chain", {})
        self.s.wait(task)
        entry = self.run_it("dlq", "add", task, "--reason", "odd").split()[1]
        self.assertIn("by olga: odd", self.run_it("dlq", "show", entry))
        self.assertEqual(self.run_it("dlq", "resolve", entry, "--as", "permanently_failed", "--reason", "it is so"), f"{entry} is permanently_failed\n")
        self.assertIn("the entry is closed: permanently_failed", self.run_it("dlq", "revive", entry, "--reason", "r", exits=FAILED))
        self.assertIn("DLQ entry not found", self.run_it("dlq", "show", self.s.value("SELECT gen_random_uuid()"), exits=FAILED))

    def test_usage(self):
        self.assertIn("SPARED", self.run_it("dlq", "stale") + "SPARED")
        for words, says in ((("revive", "x"), "missing option: --reason"), (("revive", "--reason", "r"), "expected an ENTRY, or conditions"),
                            (("revive", "x", "--all", "--reason", "r"), "exclude each other"), (("resolve", "--all", "--as", "cancelled", "--reason", "r"), "--as needs an ENTRY"),
                            (("bury",), "unknown verb: bury")):
            self.assertIn(says, self.run_it("dlq", *words, exits=USAGE))
        for verb in ("list", "show", "queue", "stats", "stale", "add", "revive", "resolve"):
            self.assertIn(f"  tasker dlq {verb}", self.run_it("dlq", verb, "--help"), "an example")
