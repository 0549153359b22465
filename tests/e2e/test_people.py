# SPDX-License-Identifier: MIT
"""`tasker step`, `pause`, `resume`, `bulk`: what an operator types."""
import json

from lib.single import Single
from lib.system import tasker

OK, FAILED, USAGE, UNREACHABLE = 0, 1, 2, 3


class People(Single):
    def run_it(self, *args, exits=OK, **env):
        done = tasker(*args, env={"TASKER_URL": self.s.rest, "USER": "olga", **env})
        self.assertEqual(done.returncode, exits, done)
        return done.stdout if exits == OK else done.stderr

    def blocked(self):
        task = self.s.submit("tests", "blocked", {})
        self.assertEqual(self.s.wait(task)["status"], "blocked_by_failures")
        return task

    def history(self, task):
        return [tuple(r.values()) for r in self.s.sql("SELECT actor, reason FROM tasker.workflow_step_transitions WHERE task_uuid = $1 AND reason IS NOT NULL", task)]

    def test_each_verb(self):
        for words, says, who in ((("reset",), "middle is reset: now ", "olga"), (("resolve", "--by", "kim"), "middle is resolved: now resolved_manually", "kim"),
                                 (("complete", "--result", '{"paid": true}'), "middle is complete: now complete", "olga"),
                                 (("skip",), "middle is skipped: now resolved_manually", "olga")):
            with self.subTest(words):
                task = self.blocked()
                verb, *more = words
                self.assertIn(says, self.run_it("step", verb, task, "middle", "--reason", "seen to it", *more))
                self.assertEqual(self.s.wait(task)["status"], "complete")
                self.assertEqual(self.history(task), [(who, "seen to it")])

    def test_starting_before_its_time_and_its_history(self):
        told = self.run_it("task", "submit", "tests/chain", "--run-at", "+1d", "--task-timeout", "1h", "--on-timeout", "cancel", "--json")
        task = json.loads(told)["task_uuid"]
        self.assertIn(f"tasker task start {task}", self.run_it("explain", task))
        self.assertEqual(self.run_it("task", "start", task, "--reason", "it is there"), f"started {task}\n")
        self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertIn("Cannot start a task that has ended: complete", self.run_it("task", "start", task, "--reason", "r", exits=FAILED))
        self.assertRegex(self.run_it("task", "get", task), "(?s)started_at .*on_timeout +cancel")
        self.assertIn("on_timeout: must be error or cancel, found 'x'", self.run_it("task", "submit", "tests/chain", "--on-timeout", "x", exits=FAILED))
        self.run_it("step", "rerun", task, "three", "--reason", "wrong rate")
        self.assertEqual(self.s.wait(task)["status"], "complete")
        told = self.run_it("task", "history", task)
        self.assertRegex(told, r"steps_in_process +start +olga +it is there|waiting_for_dependencies +start +olga +it is there")
        self.assertRegex(told, r"Generation 1, .*: run again from three by olga: wrong rate")

    def test_weights(self):
        self.assertEqual(self.run_it("namespace", "weight", "tests", "3", "--reason", "first of all"), "tests has a weight of 3\n")
        self.assertRegex(self.run_it("namespace", "list"), r"tests +3 +\d+ +weight set .* by olga: first of all")
        self.run_it("namespace", "weight", "tests", "1", "--reason", "as before")
        self.assertIn("WEIGHT must be a number from 1 to 1000, found '0'", self.run_it("namespace", "weight", "tests", "0", "--reason", "r", exits=USAGE))
        self.assertIn("Namespace not found: nobody", self.run_it("namespace", "weight", "nobody", "2", "--reason", "r", exits=FAILED))

    def test_json_and_uuids(self):
        task = self.blocked()
        step = self.s.value("SELECT workflow_step_uuid FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'middle'", task)
        self.assertIn('"manually_completed": true', self.run_it("step", "complete", task, step, "--result", "7", "--reason", "r", "--json"))
        self.assertEqual(self.s.wait(task)["status"], "complete")

    def test_pausing_and_resuming(self):
        for words in (("namespace", "pause", "tests"), ("template", "pause", "tests/chain@1.0.0")):
            self.assertEqual(self.run_it(*words, "--reason", "r"), f"paused {words[2]}, 0 open tasks changed\n")
            task = self.s.submit("tests", "chain", {})
            self.assertRegex(self.run_it(words[0], "list"), rf"paused 20\S+ by olga: r\b")
            self.assertIn(f"tasker {words[0]} resume {words[2]} --reason", self.run_it("explain", task))
            self.assertEqual(self.run_it(words[0], "resume", words[2], "--reason", "r"), f"resumed {words[2]}, 1 open task changed\n")
            self.assertEqual(self.s.wait(task)["status"], "complete")
        task = self.blocked()
        self.assertEqual(self.run_it("task", "pause", task, "--reason", "r"), f"paused {task}\n")
        self.assertIn('"held": []', self.run_it("task", "resume", task, "--reason", "r", "--json"))
        self.assertIn("missing option: --reason", self.run_it("task", "pause", task, exits=USAGE))
        self.assertIn("expected NAMESPACE/TEMPLATE", self.run_it("template", "pause", "chain", "--reason", "r", exits=USAGE))
        self.assertIn("Namespace not found: nobody", self.run_it("namespace", "pause", "nobody", "--reason", "r", exits=FAILED))

    def test_many_at_once(self):
        tasks = [self.s.submit("tests", "blocked", {}, tags=["many"]) for _ in range(3)]
        for task in tasks:
            self.s.wait(task)
        select = ("--tag", "many", "--status", "blocked_by_failures", "--reason", "r")
        self.assertRegex(self.run_it("task", "bulk", "reset", *select, "--dry-run"), r"^would reset 3 of \d+ open tasks, 3 steps\n$")
        self.assertRegex(self.run_it("task", "bulk", "reset", *select), r"^reset 3, 3 matched, \d+ open tasks looked at, 3 steps\n$")
        self.assertEqual({self.s.wait(t)["status"] for t in tasks}, {"complete"})
        self.assertIn('"changed": 0', self.run_it("task", "bulk", "cancel", "--tag", "many", "--reason", "r", "--json"))
        self.assertIn("needs at least one", self.run_it("task", "bulk", "cancel", "--reason", "r", exits=FAILED))

    def test_many_steps_are_completed_or_run_again(self):
        tasks = [self.s.submit("tests", "blocked", {}, tags=["by_hand"]) for _ in range(3)]
        for task in tasks:
            self.s.wait(task)
        done = self.run_it("task", "bulk", "complete", "--tag", "by_hand", "--step", "middle", "--result", '{"paid": 7}', "--reason", "by telephone")
        self.assertRegex(done, r"^completed 3, 3 matched, \d+ open tasks looked at, 3 steps\n$")
        self.assertEqual({self.s.wait(t)["status"] for t in tasks}, {"complete"})
        again = ("task", "bulk", "rerun", "--tag", "by_hand", "--step", "last", "--status", "complete", "--reason", "wrong rate")
        self.assertEqual(self.run_it(*again, "--dry-run"), "would rerun 3 of 3 complete tasks, 3 steps\n")
        self.assertEqual(self.run_it(*again), "running again 3, 3 matched, 3 complete tasks looked at, 3 steps\n")
        for task in tasks:
            self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertEqual(self.run_it(*again), "running again 0, 0 matched, 3 complete tasks looked at\n", "asked twice, done once")
        self.assertEqual({self.s.call("GET", f"/v1/tasks/{t}").json["generation"] for t in tasks}, {1})
        self.assertIn("run again from last by olga: wrong rate", self.run_it("task", "history", tasks[0]))
        patched = ("task", "bulk", "rerun", "--tag", "by_hand", "--step", "last", "--status", "complete", "--reason", "rate of May", "--patch", '{"rate": 2}')
        self.assertEqual(self.run_it(*patched), "running again 3, 3 matched, 3 complete tasks looked at, 3 steps\n")
        self.assertEqual({self.s.wait(t)["context"]["rate"] for t in tasks}, {2})
        self.assertIn("--patch goes with rerun", self.run_it("task", "bulk", "skip", "--tag", "x", "--patch", "{}", "--reason", "r", exits=USAGE))
        self.assertIn("complete needs --result", self.run_it("task", "bulk", "complete", "--step", "middle", "--reason", "r", exits=USAGE))
        self.assertIn("--result goes with complete", self.run_it("task", "bulk", "skip", "--tag", "x", "--result", "1", "--reason", "r", exits=USAGE))
        self.assertIn("rerun needs the name of a step", self.run_it("task", "bulk", "rerun", "--tag", "x", "--reason", "r", exits=FAILED))

    def test_lists_page_by_page(self):
        for task in [self.s.submit("tests", "chain", {}, tags=["listed"]) for _ in range(3)]:
            self.s.wait(task)
        first = self.run_it("task", "list", "--tag", "listed", "--template", "chain", "--per-page", "2", "--cursor", "")
        cursor = first.split("more: --cursor ")[1].strip()
        rest = self.run_it("task", "list", "--tag", "listed", "--per-page", "2", "--cursor", cursor)
        self.assertIn("no more tasks", rest)
        self.assertEqual(rest.count("chain"), 1)
        self.assertIn("page 1 of 1, 3 tasks", self.run_it("task", "list", "--tag", "listed"))
        self.assertIn("no tasks", self.run_it("task", "list", "--tag", "listed", "--before", "2020-01-01T00:00:00Z"))

    def test_running_again(self):
        task = self.s.submit("tests", "chain", {})
        self.s.wait(task)
        self.assertIn("three and all below it run again: now ", self.run_it("step", "rerun", task, "three", "--reason", "r", "--context", '{"a": 1}'))
        self.assertEqual((self.s.wait(task)["generation"], self.s.wait(task)["context"]), (1, {"a": 1}))
        self.run_it("step", "rerun", task, "three", "--reason", "r2", "--patch", '{"b": 2, "a": null}')
        self.assertEqual((self.s.wait(task)["generation"], self.s.wait(task)["context"]), (2, {"b": 2}))
        self.assertIn("give one of them", self.run_it("step", "rerun", task, "three", "--reason", "r", "--patch", "{}", "--context", "{}", exits=USAGE))

    def test_what_is_wrong_is_said(self):
        task = self.blocked()
        self.assertIn("has no step 'nobody'; its steps are: first, middle, last", self.run_it("step", "reset", task, "nobody", "--reason", "r", exits=FAILED))
        self.assertIn("invalid transition from complete to ResetForRetry", self.run_it("step", "reset", task, "first", "--reason", "r", exits=FAILED))
        self.assertIn("missing option: --reason", self.run_it("step", "skip", task, "middle", exits=USAGE))
        self.assertIn("missing option: --result", self.run_it("step", "complete", task, "middle", "--reason", "r", exits=USAGE))
        self.assertIn("--result: ", self.run_it("step", "complete", task, "middle", "--reason", "r", "--result", "{", exits=USAGE))
        self.assertIn("unknown option: --result", self.run_it("step", "reset", task, "middle", "--reason", "r", "--result", "1", exits=USAGE))
        self.assertIn("cannot reach", self.run_it("step", "reset", task, "middle", "--reason", "r", exits=UNREACHABLE, TASKER_URL="http://127.0.0.1:1"))
        for verb in ("reset", "resolve", "complete", "skip", "rerun"):
            self.assertIn(f"usage: tasker step {verb} TASK STEP", self.run_it("step", verb, "--help"))
