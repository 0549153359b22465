# SPDX-License-Identifier: MIT
"""`tasker retention` on a running system: what there is, what would go, and a month that goes while others work."""
import collections
import concurrent.futures
import fcntl
import json
import os
import pathlib
import re
import tempfile
import unittest

from lib.old_tasks import OLD, history
from lib.system import System, eventually, tasker
from engine import CHAIN, Engine  # tests/db, which old_tasks found

# most of history is in March 2024, a little in May
TABLES = {"step_results": 4, "workflow_step_transitions": 8, "task_transitions": 2}  # rows a chain leaves


class Retention(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(env={"TASKER_RETENTION_ENABLED": "false"})  # the command does it
        cls.addClassCleanup(cls.s.stop)
        with cls.s.conn() as c:
            engine = Engine(c)
            template = engine.register(CHAIN)
            cls.march = history(engine, template, OLD, 3)
            cls.may = history(engine, template, OLD.replace(month=5), 2, end=False)
            assert c.value("SELECT tasker.make_history_months(2)") == 6

    def retention(self, *args, exits=0):
        done = tasker("retention", *args, "--database-url", self.s.endpoints["postgres"])
        self.assertEqual(done.returncode, exits, done.stdout + done.stderr)
        return (done.stdout if done.stdout else "") + (done.stderr if "--json" not in args else "")

    def months(self, *args, **kwargs):
        return {m["month"]: m for m in json.loads(self.retention("--json", *args, **kwargs))}

    def rows(self):
        return {t: self.s.value(f"SELECT count(*) FROM tasker.{t} WHERE task_uuid = ANY ($1)", self.march) for t in TABLES}

    def test_1_what_there_is(self):
        self.s.run("tests", "diamond", {})
        found = self.months()
        self.assertEqual({m: (d["tasks"], d["open_tasks"], d["outcome"]) for m, d in found.items() if m and m < "2025"},
                         {"2024-03": (3, 0, "kept"), "2024-05": (2, 1, "kept")})
        self.assertRegex(self.retention(), r"(?m)^2024-03 +3 +0 +\S+ +[\d.]+ kB")

    def test_2_what_would_go_stays(self):
        found = self.months("--drop-before", "2025-01-01")
        self.assertEqual([found[m]["outcome"] for m in ("2024-03", "2024-05")], ["due", "open"])
        self.assertEqual(found["2024-05"]["oldest"], self.may[-1])
        text = self.retention("--drop-before", "1m")
        self.assertRegex(text, r"(?m)^2024-03 .* would be dropped$")
        self.assertRegex(text, rf"(?m)^2024-05 .* kept: 1 tasks are open, the oldest is {self.may[-1]}$")
        self.assertIn("Nothing was dropped. With --apply the history of 3 tasks in 1 months would be", text)
        self.assertEqual(self.months("--drop-before", "2024-03-31")["2024-03"]["outcome"], "kept", "a part of a month is no month")
        self.assertEqual(self.rows(), {t: 3 * n for t, n in TABLES.items()})

    def test_3_a_month_goes_with_its_rows_in_files(self):
        with tempfile.TemporaryDirectory() as folder:
            where = os.path.join(folder, "history")
            running = [self.s.submit("tests", "diamond", {"n": n}) for n in range(20)]
            found = self.months("--drop-before", "2025-01-01", "--export", where, "--apply", exits=1)  # 1: May is kept
            self.assertEqual([found[m]["outcome"] for m in ("2024-03", "2024-05")], ["dropped", "open"])
            for table, n in TABLES.items():
                with open(os.path.join(where, "2024-03", table + ".jsonl"), encoding="utf-8") as f:
                    lines = [json.loads(line) for line in f]
                self.assertEqual(len(lines), 3 * n)
                self.assertEqual({x["task_uuid"] for x in lines}, set(self.march))
            self.assertEqual(os.listdir(where), ["2024-03"])
            for task in running:
                self.assertEqual(self.s.wait(task)["status"], "complete")
        self.assertEqual(self.rows(), dict.fromkeys(TABLES, 0))
        self.s.doctor()
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{self.march[0]}").json["status"], "complete")
        steps = self.s.call("GET", f"/v1/tasks/{self.march[0]}/workflow_steps").json
        self.assertEqual([s["current_state"] for s in steps], ["complete"] * 4)
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{self.march[0]}/workflow_steps/{steps[0]['step_uuid']}/audit").json, [])
        self.assertRegex(self.retention(), r"(?m)^2024-03 +3 +0 .* dropped 20\d\d-\d\d-\d\d$")

    def test_4_an_export_that_cannot_be_written_drops_nothing(self):
        with self.s.conn() as c:
            engine = Engine(c)
            tasks = history(engine, engine.register(CHAIN), OLD.replace(month=1), 1)
            c.value("SELECT tasker.make_history_months(2)")
        with tempfile.NamedTemporaryFile() as file:
            self.assertRegex(self.retention("--drop-before", "2025-01-01", "--export", file.name, "--apply", exits=1), "2024")
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.step_results WHERE task_uuid = $1", tasks[0]), 4)
        self.retention("--drop-before", "2024-02-01", "--apply")
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.step_results WHERE task_uuid = $1", tasks[0]), 0)

    def test_5_an_orchestrator_makes_what_is_missing(self):
        """As if it had run for months since the last migration: the last partition made ahead is not there."""
        last = max(self.s.sql("SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'tasker.step_results'::regclass"
                              " AND inhrelid::regclass::text ~ '[0-9]$'"), key=lambda r: r.name).name
        self.s.sql(f"DROP TABLE {last}")
        self.s.kill("orchestrator")
        self.s.respawn("orchestrator", env={"TASKER_SWEEPER_INTERVAL": "100ms"})
        eventually(lambda: self.s.value("SELECT to_regclass($1)::text", last) == last, 20, "the partition is made")
        self.assertEqual(self.s.run("tests", "diamond", {})["status"], "complete")

    def policy(self, *args, exits=0):
        return self.retention("policy", *args, exits=exits)

    def test_6_a_policy_deletes_what_is_older(self):
        with self.s.conn() as c:
            engine = Engine(c)
            gone = history(engine, engine.register(CHAIN), OLD.replace(month=7), 7)
            fresh = history(engine, engine.register(CHAIN), OLD.replace(month=8), 1)
            c.query("UPDATE tasker.tasks SET completed_at = completed_at - interval '400 days' WHERE task_uuid = ANY ($1)", gone)
        self.assertRegex(self.policy(), r"(?m)^\(all others\) +for ever  -$")
        self.assertRegex(self.policy("set", "--others", "--keep", "forever"), r"(?m)^shop +for ever  all others$")
        self.assertRegex(self.policy("set", "shop", "--keep", "1y"), r"(?m)^shop +365 days  it$")
        found = {p["namespace"]: (p["keep_days"], p["source"]) for p in json.loads(self.policy("show", "--json"))}
        self.assertEqual((found["*"], found["shop"], found["tests"]), ((None, "own"), (365, "own"), (None, "default")))
        self.assertRegex(self.retention("--drop-before", "policy", exits=1), r"namespace (?!shop)\w+ keeps its tasks for ever")

        def due():
            return next(x for x in json.loads(self.retention("apply", "--dry-run", "--json")) if x["namespace"] == "shop")
        eventually(lambda: due()["due"] == 7, 90, "they are added up")
        self.assertEqual(due(), {"namespace": "shop", "keep_days": 365, "older": 7, "due": 7, "steps": 28})
        self.assertRegex(self.retention("apply", "--dry-run"), r"(?m)^shop +365 days +7 +7 +28$")
        with tempfile.TemporaryDirectory() as folder:
            self.assertIn("cannot write", self.retention("apply", "--export", os.path.join(folder, "none", "x"), exits=1))
            self.assertEqual(due()["due"], 7)
            file = os.path.join(folder, "tasks.jsonl")
            with open(file, "w", encoding="utf-8") as f:
                f.write('{"before": true}\n')
                fcntl.flock(f, fcntl.LOCK_EX)
                self.assertIn("another export writes it", self.retention("apply", "--export", file, exits=1))
            self.assertRegex(self.retention("apply", "--export", file), r"(?m)^shop +365 days +7 +28$")
            with open(file, encoding="utf-8") as f:
                first, *lines = [json.loads(line) for line in f]
        self.assertEqual(first, {"before": True})
        self.assertEqual({x["row"]["task_uuid"] for x in lines if x["table"] == "tasks"}, set(gone))
        self.assertEqual(collections.Counter(x["table"] for x in lines), {"tasks": 7, "workflow_steps": 28, "workflow_step_edges": 21, "step_results": 28,
                                                                         "workflow_step_transitions": 56, "task_transitions": 14})
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{gone[0]}").status, 404)
        self.assertEqual(self.s.call("GET", f"/v1/tasks/{fresh[0]}").status, 200)
        self.s.doctor()
        self.assertRegex(self.retention("apply"), r"(?m)^shop +365 days +0 +0$")
        self.policy("clear", "--others")
        self.policy("set", "--others", "--keep", "2w")
        self.assertEqual(json.loads(self.retention("--json", "--drop-before", "policy"))[0]["month"], "2024-01")
        self.policy("clear", "shop")
        self.policy("clear", "--others")

    def test_7_two_at_once_write_each_task_to_one_file(self):
        with self.s.conn() as c:
            engine = Engine(c)
            gone = history(engine, engine.register(CHAIN), OLD.replace(month=9), 60)
            c.query("UPDATE tasker.tasks SET completed_at = completed_at - interval '400 days' WHERE task_uuid = ANY ($1)", gone)
        self.policy("set", "shop", "--keep", "300d")
        eventually(lambda: re.search(r"(?m)^shop +300 days +60 +60 ", self.retention("apply", "--dry-run")), 90, "they are added up")
        with tempfile.TemporaryDirectory() as folder:
            files = [os.path.join(folder, f"{n}.jsonl") for n in range(3)]
            with concurrent.futures.ThreadPoolExecutor() as pool:
                list(pool.map(lambda file: self.retention("apply", "--export", file), files))
            lines = [json.loads(line) for file in files for line in pathlib.Path(file).read_text(encoding="utf-8").splitlines()]
        self.assertEqual(sorted(x["row"]["task_uuid"] for x in lines if x["table"] == "tasks"), sorted(gone))
        self.s.doctor()
        self.policy("clear", "shop")

    def test_wrong_usage_of_policies(self):
        for args, says, exits in ((("policy", "set", "shop", "--keep", "101y"), "from 1d to 36500d (90d, 12w, 6m, 1y; a month is 30 days), found '101y'", 2),
                                  (("policy", "set", "shop", "--keep", "0d"), "found '0d'", 2), (("policy", "set", "shop"), "--keep is needed", 2),
                                  (("policy", "set", "--keep", "1d"), "expected a NAMESPACE, or --others", 2), (("policy", "set", "shop", "--others", "--keep", "1d"), "expected", 2),
                                  (("policy", "set", "nowhere", "--keep", "1d"), "there is no namespace 'nowhere'", 1),
                                  (("apply", "--dry-run", "--export", "x"), "give one of both", 2)):
            self.assertIn(says, self.retention(*args, exits=exits))

    def test_wrong_usage(self):
        for args, says in ((("--drop-before", "soon"), "--drop-before must be a day (2026-06-01), an age (90d, 12w, 6m, 1y) or 'policy', found 'soon'"),
                           (("--drop-before", "-1d"), "found '-1d'"), (("--drop-before", "2024-3-1"), "found '2024-3-1'"), (("--apply",), "--apply needs --drop-before"),
                           (("--export", "x"), "--export needs --drop-before")):
            self.assertIn(says, self.retention(*args, exits=2))
        self.assertTrue(re.search("out of range", self.retention("--drop-before", "2024-13-01", exits=1)))
