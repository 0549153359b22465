# SPDX-License-Identifier: MIT
"""Retention that the orchestrators apply by themselves, and what is left of it, or of the command, when it is killed in the middle of a batch."""
import glob
import json
import os
import subprocess
import tempfile
import unittest

from lib.old_tasks import OLD, history
from lib.system import BIN, SLOW, System, eventually, tasker
from engine import CHAIN, Engine  # tests/db, which old_tasks found

TABLE = "tasker.task_generations"  # a batch reads it to export and deletes from it: a SHARE lock stops it between both


class Run(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.s = System(orchestrators=2, env={"TASKER_RETENTION_ENABLED": "false", "TASKER_RETENTION_INTERVAL": "1s", "TASKER_RETENTION_EXPORT": cls.folder})
        cls.addClassCleanup(cls.s.stop)

    def restart(self, **env):
        """Both orchestrators die and come back."""
        for at in range(2):
            self.s.kill("orchestrator", at)
        self.s.sql("UPDATE tasker.retention_run SET held_until = clock_timestamp()")  # a turn that was not ended is over: nobody waits for a minute
        for at in range(2):
            self.s.respawn("orchestrator", at, env={f"TASKER_RETENTION_{key}": value for key, value in env.items()})

    def tasks(self, n, month):
        """Chains that ended more than a year ago and are added up; and one that is younger than the policy."""
        with self.s.conn() as c:
            engine = Engine(c)
            tasks = history(engine, engine.register(CHAIN), OLD.replace(month=month), n)
            c.query("UPDATE tasker.tasks SET completed_at = completed_at - interval '400 days' WHERE task_uuid = ANY ($1)", tasks)
            c.script("UPDATE tasker.rolled_until SET looked_at = clock_timestamp() - interval '1 day'")
            while c.query("SELECT * FROM tasker.roll_up(1000)")[0].more:
                pass
        return tasks

    def policy(self, *args):
        done = tasker("retention", "policy", *args, "--database-url", self.s.endpoints["postgres"])
        self.assertEqual(done.returncode, 0, done)

    def there(self, tasks):
        return self.s.value("SELECT count(*) FROM tasker.tasks WHERE task_uuid = ANY ($1)", tasks)

    def waits(self):
        return self.s.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass", TABLE)

    def lines(self, *paths):
        """What is in the files, by task; a line that is none fails."""
        found = {}
        for path in paths:
            with open(path, encoding="utf-8") as f:
                for line in f:
                    row = json.loads(line)
                    if row["table"] == "tasks":
                        found.setdefault(row["row"]["task_uuid"], []).append(row)
        return found


    def metric(self, name):
        return sum(self.s.metric(o["rest"], "tasker_orchestrator_" + name) for o in self.s.endpoints["orchestrators"])

    def files(self):
        return glob.glob(os.path.join(self.folder, "20*.jsonl"))

    def test_1_a_command_killed_in_the_middle_of_a_batch(self):
        tasks, file = self.tasks(8, 3), os.path.join(self.folder, "tasks.jsonl")
        command = [os.path.join(BIN, "tasker"), "retention", "apply", "--export", file, "--database-url", self.s.endpoints["postgres"]]
        self.policy("set", "shop", "--keep", "300d")
        with self.s.conn() as c:
            c.script(f"BEGIN; LOCK TABLE {TABLE} IN SHARE MODE")
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as apply:
                eventually(self.waits, 30, "its batch is written and about to be deleted")
                apply.kill()
            c.script("COMMIT")
        self.assertEqual(set(self.lines(file)), set(tasks), "the file had it all")
        eventually(lambda: not self.s.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tasker' AND state <> 'idle'"), 30, "its transaction is over")
        self.assertEqual(self.there(tasks), 8, "nothing is lost")
        self.s.doctor()
        with open(file, "r+b") as f:  # as if it had died while it wrote
            f.truncate(os.path.getsize(file) - 20)
        done = subprocess.run(command, capture_output=True, text=True, timeout=120 * SLOW, check=False)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual((self.there(tasks), set(self.lines(file))), (0, set(tasks)))
        self.s.doctor()
        self.policy("clear", "shop")


    def test_2_applied_once_with_its_files_and_its_months(self):
        tasks = self.tasks(7, 7)
        self.restart(ENABLED="true")
        eventually(lambda: self.s.ready("orchestrator", 0) and self.s.ready("orchestrator", 1), 30, "they are back")
        before = self.metric("retention_runs_total")
        eventually(lambda: self.metric("retention_runs_total") >= before + 2, 30, "they look, and nobody has a policy")
        self.assertEqual(self.there(tasks), 7)
        with self.s.conn() as c:
            c.value("SELECT tasker.make_history_months(2)")
        self.assertEqual(self.s.value("SELECT count(*) FROM tasker.step_results_202407"), 28)
        self.policy("set", "shop", "--keep", "300d")
        eventually(lambda: not self.there(tasks), 60, "they are deleted")
        eventually(lambda: self.metric("retention_tasks_total") == 7 and self.metric("retention_steps_total") == 28, 10, "each was counted once, by one")
        self.assertEqual({t: len(rows) for t, rows in self.lines(*self.files()).items()}, dict.fromkeys(tasks, 1))
        eventually(lambda: self.s.value("SELECT to_regclass('tasker.step_results_202407')") is None, 30, "the partition of the month is dropped")
        eventually(lambda: self.metric("retention_months_total") >= 1, 10, "and counted")
        self.s.doctor()

    def test_3_an_orchestrator_killed_in_the_middle_of_a_batch(self):
        self.policy("set", "shop", "--keep", "forever")
        tasks = self.tasks(8, 3)
        with self.s.conn() as c:
            c.script(f"BEGIN; LOCK TABLE {TABLE} IN SHARE MODE")
            self.policy("set", "shop", "--keep", "300d")
            eventually(self.waits, 30, "a batch is written and about to be deleted")
            self.assertEqual(self.waits(), 1, "one orchestrator has the turn")
            for at in range(2):
                self.s.kill("orchestrator", at)
            c.script("COMMIT")
        eventually(lambda: not self.s.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tasker-sweeper'"), 30, "its transaction is over")
        self.assertEqual(self.there(tasks), 8, "nothing is lost")
        self.s.sql("UPDATE tasker.retention_run SET held_until = clock_timestamp()")
        for at in range(2):
            self.s.respawn("orchestrator", at)
        eventually(lambda: not self.there(tasks), 60, "the next one goes on")
        self.assertTrue(set(tasks) <= set(self.lines(*self.files())))
        self.s.doctor()

    def test_4_a_folder_that_is_not_there_deletes_nothing(self):
        self.restart(EXPORT=os.path.join(self.folder, "none"))
        tasks = self.tasks(2, 5)
        eventually(lambda: "retention.failed" in self.s.logs(400), 30, "it says so")
        self.assertEqual(self.there(tasks), 2)
        self.restart(EXPORT="")
        eventually(lambda: not self.there(tasks), 60, "without a folder they are only deleted")

