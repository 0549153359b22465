# SPDX-License-Identifier: MIT
"""The `tasker` command against a running system: what it prints, as text and as JSON, where, and how it exits."""
import json
import os
import tempfile
import unittest
import uuid

from lib.system import OWN, System, eventually, tasker

OK, FAILED, USAGE, UNREACHABLE, TIME_UP = range(5)
NOWHERE = "http://127.0.0.1:1"
NOBODY = "0198c5a2-7d1e-7a34-9c11-5d8e6f7a8b9c"


class Cli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)
        cls.env = {"TASKER_URL": cls.s.rest, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}

    def run_it(self, *args, exits=OK):
        """Runs it with the system's address in the environment; no word of it is ever coloured, for nothing here is a terminal."""
        done = tasker(*args, env=self.env)
        self.assertEqual(done.returncode, exits, f"{args}: {done.stdout}{done.stderr}")
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        return done

    def out(self, *args, exits=OK):
        """Standard output; standard error must be empty."""
        done = self.run_it(*args, exits=exits)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def json(self, *args, exits=OK):
        return json.loads(self.out(*args, "--json", exits=exits))

    def refused(self, *args, exits=FAILED):
        """Standard error; nothing is on standard output."""
        done = self.run_it(*args, exits=exits)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def submit(self, template, exits=OK, options=(), **context):
        context["run"] = str(uuid.uuid4())
        return self.json("task", "submit", template, "--context", json.dumps(context), *options, exits=exits)

    def rows(self, text, head):
        """The cells of a printed table, whose first line starts with `head`."""
        lines = text.splitlines()
        self.assertTrue(lines[0].startswith(head), text)
        return [line.split() for line in lines[1:]]

    # -- tasks --

    def test_numbers_that_the_database_writes_at_length(self):
        """A jsonb column writes 1e300 with all its zeroes, an integer that no machine has: it is what it was."""
        task = self.submit("tests/chain", huge=1e300, small=-1e20, rate=1.07)["task_uuid"]
        self.assertRegex(self.out("task", "wait", task), "^✔ chain ")
        context = self.json("task", "get", task)["context"]
        self.assertEqual((context["huge"], context["small"], context["rate"]), (1e300, -1e20, 1.07))

    def test_submit_tells_the_task(self):
        line = self.out("task", "submit", "tests/diamond@1.0.0", "--context", json.dumps({"run": str(uuid.uuid4())}), "--wait")
        self.assertRegex(line, r"^✔ diamond [0-9a-f-]{36}: complete, 4 of 4 steps, [\d.]+ m?s\n$")
        self.assertRegex(self.out("task", "submit", "rust_e2e_linear/mathematical_sequence", "--context", '{"even_number": 4}'),
                         r"^. mathematical_sequence [0-9a-f-]{36}: \w+, \d of 4 steps")  # the namespace is given, the version is the newest

    def test_submit_as_json_is_the_task(self):
        task = self.submit("tests/diamond", options=("--priority", "7", "--tag", "a", "--tag", "b", "--initiator", "me", "--source", "here", "--reason", "why"))
        self.assertEqual([task[k] for k in ("namespace", "name", "version", "priority", "tags", "initiator", "source_system", "reason")],
                         ["tests", "diamond", "1.0.0", 7, ["a", "b"], "me", "here", "why"])
        self.assertEqual(self.json("task", "wait", task["task_uuid"])["status"], "complete")

    def test_submit_reads_a_file_and_finds_the_namespace(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump({"from": "a file", "run": str(uuid.uuid4())}, f)
            f.flush()
            self.assertEqual(self.json("task", "submit", "diamond", "--context", "@" + f.name)["context"]["from"], "a file")

    def test_the_same_again_is_refused_and_a_key_helps(self):
        context = ("--context", json.dumps({"run": str(uuid.uuid4())}))
        first = self.json("task", "submit", "tests/diamond", *context)
        self.assertRegex(self.refused("task", "submit", "tests/diamond", *context), r"\(HTTP 409\): .*exists\n.*--idempotency-key")
        self.assertNotEqual(self.json("task", "submit", "tests/diamond", *context, "--idempotency-key", context[1])["task_uuid"], first["task_uuid"])

    def test_what_submit_cannot_take_is_named(self):
        for context, says in (('{"x":2', "--context: line 1, column 6: '}' expected"), ("[]", "--context: expected a JSON object"),
                              ("@/nowhere.json", "--context: cannot open /nowhere.json: No such file"), ("", "--context: ")):
            self.assertIn(says, self.refused("task", "submit", "tests/diamond", "--context", context, exits=USAGE))
        self.assertIn("no template tests/nothing is registered. There are: ", self.refused("task", "submit", "tests/nothing"))
        self.assertRegex(self.refused("task", "submit", "tests/diamond@9.0.0"), r"\(HTTP 404\): .*diamond.*9\.0\.0.*no such version is registered")
        self.assertIn("--priority", self.refused("task", "submit", "tests/diamond", "--priority", "high", exits=USAGE))

    def test_get_shows_the_task_and_its_steps(self):
        task = self.submit("tests/diamond", options=("--wait",))
        text = self.out("task", "get", task["task_uuid"])
        self.assertRegex(text, rf"^✔ diamond {task['task_uuid']}: complete, 4 of 4 steps, ")
        for key, value in (("namespace", "tests"), ("version", "1.0.0"), ("execution_status", "all_complete"), ("priority", "0")):
            self.assertRegex(text, rf"(?m)^  {key} +{value}$")
        cells = self.rows(text[text.index("   STEP"):], "   STEP")
        self.assertEqual([(c[1], c[2], c[3]) for c in cells], [(name, "complete", "1/5") for name in ("start", "left", "right", "join")])
        again = self.json("task", "get", task["task_uuid"])
        self.assertEqual((again["task_uuid"], again["status"], len(again["steps"])), (task["task_uuid"], "complete", 4))

    def test_a_failed_task_says_why(self):
        task = self.submit("tests/nonsense", FAILED, ("--wait",))
        self.assertEqual(task["status"], "blocked_by_failures")
        for verb in ("wait", "graph", "get"):
            text = self.out("task", verb, task["task_uuid"], exits=FAILED if verb == "wait" else OK)
            self.assertIn('  ✘ nonsense (1 attempt): result member "broken": line 1, column 5: ', text)
        task = self.submit("rust_e2e_retry/retry_exhaustion_test", FAILED, ("--wait",))
        self.assertRegex(self.out("task", "wait", task["task_uuid"], exits=FAILED), r"  ✘ always_fail \(3 attempts\): ")

    def test_list_pages_and_filters(self):
        who = f"lister-{uuid.uuid4()}"
        tasks = [self.submit("tests/diamond", options=("--initiator", who, "--wait"))["task_uuid"] for _ in range(3)]
        text = self.out("task", "list", "--initiator", who, "--per-page", "2")
        self.assertEqual([c[:6] for c in self.rows(text, "UUID ")[:-1]], [[t, "tests", "diamond", "1.0.0", "complete", "4/4"] for t in tasks[:0:-1]])
        self.assertTrue(text.endswith("\npage 1 of 2, 3 tasks\n"), text)
        second = self.json("task", "list", "--initiator", who, "--per-page", "2", "--page", "2", "--namespace", "tests", "--status", "completed")
        self.assertEqual(([t["task_uuid"] for t in second["tasks"]], second["pagination"]["total_count"]), (tasks[:1], 3))
        self.assertTrue(self.out("task", "list", "--initiator", "nobody").endswith("\nno tasks\n"))
        self.assertIn("per_page must be between 1 and 100", self.refused("task", "list", "--per-page", "0"))

    def test_cancel_and_then_again(self):
        task = self.submit("tests/chain", sleep_ms=60000)["task_uuid"]
        self.assertEqual(self.out("task", "cancel", task), f"cancelled {task}\n")
        self.assertRegex(self.refused("task", "cancel", task), r"\(HTTP 400\): Cannot cancel a completed task")
        self.assertEqual(self.json("task", "wait", task, exits=FAILED)["status"], "cancelled")
        self.assertRegex(self.out("task", "graph", task), r"^⊘ chain .*: cancelled, 0 of 4 steps")
        other = self.submit("tests/chain", sleep_ms=60000)["task_uuid"]
        self.assertEqual(self.json("task", "cancel", other)["status"], "cancelled")

    def test_wait_gives_up_in_time(self):
        task = self.submit("tests/chain", sleep_ms=60000)["task_uuid"]
        self.assertIn(f"the time is up; task {task} is still steps_in_process", self.refused("task", "wait", task, "--timeout", "200ms", exits=TIME_UP))
        self.assertIn("--timeout soon: expected a duration such as 30s", self.refused("task", "wait", task, "--timeout", "soon", exits=USAGE))
        self.out("task", "cancel", task)
        eventually(lambda: self.s.metric(self.s.process("worker")["rest"], "tasker_worker_permits_in_use") == 0, 20, "the handler stopped")

    # -- graphs --

    def test_a_diamond_is_drawn(self):
        task = self.submit("tests/diamond", options=("--wait",))["task_uuid"]
        lines = self.out("task", "graph", task).splitlines()
        self.assertRegex(lines[0], rf"^✔ diamond {task}: complete, 4 of 4 steps, ")
        names = [line.split() for line in lines if "✔" in line][1:]
        self.assertEqual(names, [["✔", "start"], ["✔", "left", "✔", "right"], ["✔", "join"]])
        fork, merge = [next(line for line in lines if mark in line) for mark in "┌└"]
        self.assertRegex(fork.strip(), "^┌─+┴─+┐$")
        self.assertRegex(merge.strip(), "^└─+┬─+┘$")
        self.assertEqual(sum(line.count(" ms") for line in lines[1:]), 4)
        plain = self.out("task", "graph", task, "--ascii")
        self.assertTrue(plain.isascii(), plain)
        self.assertEqual([line.split() for line in plain.splitlines() if line.lstrip().startswith("+ ")][1:],
                         [["+", "start"], ["+", "left", "+", "right"], ["+", "join"]])
        self.assertEqual({s["name"]: s["dependencies"] for s in self.json("task", "graph", task)},
                         {"start": [], "left": ["start"], "right": ["start"], "join": ["left", "right"]})

    # -- templates --

    def test_templates_are_listed(self):
        cells = self.rows(self.out("template", "list", "--namespace", "tests"), "NAMESPACE ")
        self.assertIn(["tests", "diamond", "1.0.0", "4"], [c[:4] for c in cells])
        self.assertEqual({c[0] for c in cells}, {"tests"})
        listed = self.json("template", "list", "--namespace", "tests")["templates"]
        self.assertEqual(len(listed), len(cells))

    def test_apply_says_what_became_of_each_file(self):
        with open(os.path.join(OWN, "diamond.yaml"), encoding="utf-8") as f:
            text = f.read().replace("name: diamond", "name: kite")
        with tempfile.TemporaryDirectory() as folder:
            def write(name, content):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                    f.write(content)
            write("a.yaml", text)
            self.assertEqual(self.out("template", "apply", folder).split(), ["registered", "tests/kite@1.0.0"])
            self.assertEqual([t["outcome"] for t in self.json("template", "apply", folder)], ["unchanged"])
            write("a.yaml", text.replace("version: 1.0.0", "version: 1.0.1\ncolour: red\nsize: 7"))
            self.assertRegex(self.out("template", "apply", folder), rf"^registered +tests/kite@1\.0\.1\n(warning +{folder}/a\.yaml:\d+:\d+: unknown key '(colour|size)'.*\n){{2}}$")
            write("a.yaml", text.replace("max_attempts: 5", "max_attempts: 4"))
            write("b.yaml", text.replace("dependencies: [left, right]", "dependencies: [left, wrong]"))
            done = self.run_it("template", "apply", folder, exits=FAILED)
            self.assertRegex(done.stderr, rf"(?m)^refused +{folder}/a\.yaml: .*409.*$")
            self.assertRegex(done.stderr, rf"(?m)^refused +{folder}/b\.yaml: .*400.*b\.yaml:\d+.*wrong")
            self.assertEqual(self.out("template", "apply", os.path.join(folder, "a.yaml"), "--replace").split(), ["replaced", "tests/kite@1.0.0"])
            for exits, name, valid in ((OK, "a.yaml", True), (FAILED, "b.yaml", False)):
                found, = self.json("template", "validate", os.path.join(folder, name), exits=exits)
                self.assertEqual((found["valid"], found["error"] is None), (valid, valid))
            self.assertRegex(self.out("template", "validate", folder, exits=FAILED),
                             rf"^valid +tests/kite@1\.0\.0, 4 steps, digest \w+…\ninvalid +{folder}/b\.yaml:\d+:\d+: .*wrong")
        for verb in ("apply", "validate"):
            self.assertIn("/nowhere: No such file", self.refused("template", verb, "/nowhere", exits=USAGE))

    # -- the database --

    def test_doctor_finds_a_wrong_counter(self):
        url = ("--database-url", self.s.endpoints["postgres"])
        self.assertRegex(self.out("doctor", *url), "^Healthy: ")
        self.assertEqual(self.json("doctor", *url), [])
        task = self.submit("tests/diamond", options=("--wait",))["task_uuid"]
        self.s.sql("UPDATE tasker.tasks SET open_steps = open_steps + 1 WHERE task_uuid = $1", task)
        found = self.json("doctor", *url, exits=FAILED)
        self.assertEqual({p["task_uuid"] for p in found}, {task})
        self.assertIn("total/open/failed/active/retry are 4/1/0/0/0, the steps say 4/0/0/0/0", " ".join(p["detail"] for p in found))
        self.assertIn(task, self.out("doctor", *url, exits=FAILED))
        self.s.sql("UPDATE tasker.tasks SET open_steps = open_steps - 1 WHERE task_uuid = $1", task)
        self.assertEqual(self.json("doctor", *url), [])
        self.assertIn("Connection refused", self.refused("doctor", "--database-url", "postgresql://127.0.0.1:1/x", exits=UNREACHABLE))

    # -- top --

    def test_top_shows_every_process_and_what_it_did(self):
        urls = [self.s.process(kind)["rest"] for kind in ("orchestrator", "worker", "cache")]
        shown = self.out("top", *urls, "--interval", "100ms")
        for line, url in zip(("orchestrator", "worker", "cache"), urls):
            self.assertRegex(shown, rf"(?m)^{line}  {url}  pid \d+  CPU ")
        for actor in ("intake", "results", "query", "execute", "load"):
            self.assertRegex(shown, rf"(?m)^  {actor} +\d+ +\d+ % .* (idle|ok|busy) *\w*$")
        found = self.json("top", "--data", self.s.dir, "--interval", "100ms")
        self.assertEqual({p["url"]: p["service"] for p in found}, dict(zip(urls, ("orchestrator", "worker", "cache"))))
        self.submit("tests/diamond", options=("--wait",))
        before, = [p for p in found if p["service"] == "worker"]
        after, = [p for p in self.json("top", "--data", self.s.dir, "--interval", "100ms") if p["service"] == "worker"]
        taken = "tasker_worker_steps_taken_total"
        self.assertEqual(after["metrics"][taken] - before["metrics"][taken], 4)

    def test_top_names_what_does_not_answer(self):
        self.assertIn(f"{NOWHERE}  does not answer: cannot reach", self.out("top", NOWHERE, "--interval", "100ms", exits=UNREACHABLE))
        self.assertIn("--interval must be between 100ms and 60s, found '1ms'", self.refused("top", "--interval", "1ms", exits=USAGE))
        self.assertIn("no 'tasker dev' runs in /nowhere", self.refused("top", "--data", "/nowhere", exits=UNREACHABLE))

    # -- every verb --

    def test_wrong_tasks_are_named(self):
        for verb in ("get", "wait", "graph", "cancel"):
            self.assertRegex(self.refused("task", verb, "zzz"), r"\(HTTP 400\): .*'zzz'")
            self.assertIn("(HTTP 404)", self.refused("task", verb, NOBODY))
            self.assertIn(f"tasker task {verb}: missing argument: UUID", self.refused("task", verb, exits=USAGE))

    def test_no_orchestrator_is_exit_3(self):
        for args in (("task", "submit", "tests/diamond"), ("task", "get", NOBODY), ("task", "wait", NOBODY), ("task", "graph", NOBODY), ("task", "cancel", NOBODY),
                     ("task", "list"), ("template", "list"), ("template", "apply", OWN)):
            for more in ((),) if "apply" in args else ((), ("--json",)):  # apply's report of what it did until then is JSON too
                self.assertIn(f"cannot reach an orchestrator at {NOWHERE}", self.refused(*args, "--url", NOWHERE, *more, exits=UNREACHABLE))
        self.assertIn("expected http://host:port", self.refused("task", "list", "--url", "nonsense", exits=USAGE))

    def test_wrong_usage_is_exit_2_and_help_is_not(self):
        for args, says in ((("nope",), "unknown command 'nope'"), (("task", "nope"), "unknown verb: nope"), (("task", "list", "--bogus"), "unknown option: --bogus"),
                           (("task", "get", "a", "b"), "b"), (("task", "wait", NOBODY, "--timeout"), "--timeout")):
            self.assertIn(says, self.refused(*args, exits=USAGE))
        for args in ((), ("task",), ("template",), ("task", "submit"), ("task", "graph"), ("template", "apply"), ("doctor",), ("dev",)):
            self.assertIn("usage: tasker", self.out(*args, "--help"))
