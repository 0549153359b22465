# SPDX-License-Identifier: MIT
"""`tasker migrate`: once, repeatedly, three at a time, on databases that are older, newer or edited; and an orchestrator that waits for it."""
import json
import os
import subprocess
import tempfile
import unittest

from lib import pg
from lib.system import BIN, eventually, request

TASKER = os.path.join(BIN, "tasker")


class Migrate(unittest.TestCase):
    def setUp(self):
        server = pg.shared()
        self.url = server.url(server.database())

    def migrate(self, *options):
        return subprocess.run([TASKER, "migrate", "--database-url", self.url, *options], capture_output=True, text=True, timeout=120, check=False)

    def sql(self, text, *args):
        with pg.Conn(self.url) as c:
            return c.query(text, *args)

    def value(self, text, *args):
        with pg.Conn(self.url) as c:
            return c.value(text, *args)

    def applied(self):
        return {r["name"]: r["applied_at"] for r in self.sql("SELECT name, applied_at::text FROM tasker.schema_migrations")}

    def test_the_first_run_applies_everything_and_the_second_nothing(self):
        files = sum(len([f for f in names if f.endswith(".sql")]) for _, _, names in os.walk(os.path.join(pg.ROOT, "migrations")))
        self.assertEqual(self.migrate("--check").returncode, 1)
        done = self.migrate()
        self.assertEqual(done.returncode, 0, done.stderr)
        first = self.applied()
        self.assertEqual(len(first), files)
        again = self.migrate()
        self.assertIn(f"0 schema files and 0 functions applied, {files} as they were", again.stdout)
        self.assertEqual(self.applied(), first)
        self.assertEqual(self.migrate("--check").returncode, 0)

    def test_check_changes_nothing(self):
        done = self.migrate("--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("run 'tasker migrate'", done.stderr)
        self.assertIsNone(self.value("SELECT to_regnamespace('tasker')::text"))

    def test_three_at_once(self):
        children = [subprocess.Popen([TASKER, "migrate", "--database-url", self.url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                    for _ in range(3)]
        said = [c.communicate(timeout=120)[0] for c in children]
        self.assertEqual([c.returncode for c in children], [0, 0, 0], said)
        self.assertEqual(sum("Migrated: 0 schema files and 0 functions" not in s for s in said), 1, said)
        self.assertEqual(self.migrate("--check").returncode, 0)

    def test_a_changed_function_is_replaced(self):
        self.migrate()
        self.sql("CREATE OR REPLACE FUNCTION tasker.queue_name(p_namespace text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'other' $$")
        self.sql("UPDATE tasker.schema_migrations SET checksum = 'old' WHERE name = 'functions/queue_name'")
        self.assertEqual(self.migrate("--check").returncode, 1)
        self.assertIn("0 schema files and 1 functions applied", self.migrate().stdout)
        self.assertEqual(self.value("SELECT tasker.queue_name('shop')"), "worker_shop_queue")

    def test_tags_of_tasks_that_are_there_are_listed(self):
        """0022, applied to a database as it was before."""
        self.migrate()
        with pg.Conn(self.url) as c:
            c.script("DROP TABLE tasker.task_tags; CREATE INDEX tasks_tags ON tasker.tasks USING gin (tags) WHERE tags <> '[]';"
                     "DELETE FROM tasker.schema_migrations WHERE name LIKE '%0022%'")
            for i, tags in enumerate(('["b", "a", "b"]', "[]")):
                c.query("INSERT INTO tasker.tasks (task_uuid, named_task_uuid, template_digest, namespace, state, total_steps, open_steps, correlation_id, tags, context, identity_hash, "
                        "requested_at, created_at) VALUES ($1, gen_random_uuid(), '', 'shop', 'complete', 1, 0, gen_random_uuid(), $2, '{}', $3, now(), now())",
                        f"01890000-0000-7000-8000-00000000000{i}", tags, b"%d" % i)
        done = self.migrate()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(r.tag, r.task_uuid[-1]) for r in self.sql("SELECT tag, task_uuid FROM tasker.task_tags ORDER BY 1")], [("a", "0"), ("b", "0")])

    def test_an_edited_schema_file_is_refused(self):
        self.migrate()
        self.sql("UPDATE tasker.schema_migrations SET checksum = 'old' WHERE name = 'schema/0001_core'")
        done = self.migrate()
        self.assertEqual(done.returncode, 1)
        self.assertIn("schema/0001_core was applied with other content", done.stderr)

    def test_a_newer_database_is_refused(self):
        self.migrate()
        self.sql("INSERT INTO tasker.schema_migrations (name, checksum) VALUES ('schema/9999_future', 'x')")
        done = self.migrate()
        self.assertEqual(done.returncode, 1)
        self.assertIn("schema/9999_future, which this program does not know", done.stderr)

    def test_a_failing_file_leaves_nothing_of_itself(self):
        """Something is in the way of the first file: the error names it, and the run after the repair applies all."""
        self.sql("CREATE SCHEMA tasker")
        self.sql("CREATE TABLE tasker.tasks (x int)")
        done = self.migrate()
        self.assertEqual(done.returncode, 1)
        self.assertIn("schema/0001_core", done.stderr)
        self.assertIn('relation "tasks" already exists', done.stderr)
        self.assertEqual(self.applied(), {})
        self.assertIsNone(self.value("SELECT to_regclass('tasker.namespaces')::text"))
        self.sql("DROP TABLE tasker.tasks")
        self.assertEqual(self.migrate().returncode, 0)

    def test_an_orchestrator_waits_for_the_schema(self):
        with tempfile.TemporaryFile() as log:
            child = subprocess.Popen([os.path.join(BIN, "tasker-orchestrator"), "--set", "rest.bind=127.0.0.1:0", "--set", "grpc.bind=127.0.0.1:0",
                                      "--set", f"database.url={self.url}"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            self.addCleanup(child.wait)
            self.addCleanup(child.kill)

            def lines():
                return [json.loads(line) for line in os.pread(log.fileno(), 1 << 20, 0).decode().splitlines() if line.endswith("}")]
            at = eventually(lambda: [x for x in lines() if x["event"] == "service.listening"], what="it listens")[0]
            ready = f"http://127.0.0.1:{at['rest_port']}/health/ready"
            said = eventually(lambda: [x for x in lines() if "tasker migrate" in x.get("msg", "")], what="it says what is missing")
            self.assertIn("schema/0001_core", said[0]["msg"])
            self.assertEqual(request(ready).status, 503)
            self.assertEqual(self.migrate().returncode, 0)
            eventually(lambda: request(ready).status == 200, what="it is ready")
            self.sql("DELETE FROM tasker.schema_migrations WHERE name = 'functions/sweep'")
            self.assertEqual(request(ready).status, 200, "what runs goes on running")
