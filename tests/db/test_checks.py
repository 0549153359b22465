# SPDX-License-Identifier: MIT
"""What watches the engine: tasker.check_consistency reports each kind of damage, tasker.sweep mends what it may, updates stay heap-only."""
from engine import CHAIN, CHECK, DIAMOND, MIXED, DbTest, new_uuid, of
from lib.system import eventually

# (what it is called, the damage, whether it names a step). $1 is the task, whose first step is in progress.
STEP = "(SELECT workflow_step_uuid FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = '{}')"
ONE, TWO = STEP.format("one"), STEP.format("two")
DAMAGES = (
    ("task counters", "UPDATE tasker.tasks SET open_steps = 3 WHERE task_uuid = $1", False),
    ("task counters", "UPDATE tasker.tasks SET total_steps = 5 WHERE task_uuid = $1", False),
    ("task counters", "UPDATE tasker.tasks SET retry_steps = 1 WHERE task_uuid = $1", False),
    ("list of ends", "INSERT INTO tasker.ended_otherwise VALUES ($1, 'shop', 'error')", False),
    ("list of tags", "INSERT INTO tasker.task_tags VALUES ('x', $1)", False),
    ("list of tags", """UPDATE tasker.tasks SET tags = '["x"]' WHERE task_uuid = $1""", False),
    ("task without steps", "DELETE FROM tasker.workflow_steps WHERE task_uuid = $1", False),
    ("task state", "UPDATE tasker.tasks SET state = 'waiting_for_retry' WHERE task_uuid = $1", False),
    ("open_tasks", "DELETE FROM tasker.open_tasks WHERE task_uuid = $1", False),
    ("unmet_parents", "UPDATE tasker.workflow_steps SET unmet_parents = 2 WHERE task_uuid = $1 AND name = 'two'", True),
    ("live step of an ended task", "UPDATE tasker.tasks SET state = 'cancelled' WHERE task_uuid = $1", True),
    ("stranded step", "UPDATE tasker.workflow_steps SET unmet_parents = 0 WHERE task_uuid = $1 AND name = 'two'", True),
    ("missing timer", "UPDATE tasker.workflow_steps SET state = 'waiting_for_retry' WHERE task_uuid = $1 AND name = 'one'", True),
    ("orphan timer", f"INSERT INTO tasker.step_timers VALUES ({TWO}, $1, clock_timestamp())", True),
    ("missing message", "UPDATE tasker.workflow_steps SET msg_id = msg_id + 1 WHERE task_uuid = $1 AND name = 'one'", True),
    ("orphan message", "UPDATE tasker.workflow_steps SET msg_id = NULL WHERE task_uuid = $1 AND name = 'one'", True),
    ("settled twice", f"INSERT INTO tasker.step_results SELECT {ONE}, n, $1, true, 1, 'w', '{{}}', now() FROM generate_series(1, 2) n", True),
    ("complete without result", "UPDATE tasker.workflow_steps SET state = 'complete' WHERE task_uuid = $1 AND name = 'one'", True),
    ("event not looked at", f"""INSERT INTO tasker.unchecked_events (task_uuid, schema, event) SELECT $1, '{{}}', jsonb_build_object(
       'event_id', tasker._uuid_at(now() - interval '10 minutes'), 'event_name', 'a.b', 'metadata', jsonb_build_object('step_uuid', {ONE}))""", True),
    ("task without template", "UPDATE tasker.tasks SET template_digest = 'x' WHERE task_uuid = $1", False),
)
LOST = (  # found only by a check of everything: what they belong to is gone
    ("open_tasks", "DELETE FROM tasker.tasks WHERE task_uuid = $1"),
    ("step without task", "DELETE FROM tasker.tasks WHERE task_uuid = $1"),
    ("edge without step", "DELETE FROM tasker.workflow_steps WHERE task_uuid = $1 AND name = 'two'"),
    ("orphan message", "DELETE FROM tasker.workflow_steps WHERE task_uuid = $1"),
)


class Consistency(DbTest):
    consistent = False  # that is the point

    def test_a_healthy_database_has_no_problems(self):
        task, _ = self.start(CHAIN)
        self.assertEqual(self.c.query(CHECK, None) + self.c.query(CHECK, task), [])

    def test_every_damage_is_found_and_named(self):
        other, _ = self.start(CHAIN)
        for problem, damage, names_step in DAMAGES:
            with self.subTest(f"{problem}: {damage}"):
                task, _ = self.start(CHAIN)
                self.c.script("BEGIN")
                self.c.query(damage, task)
                found = [p for p in self.c.query(CHECK, task) if p.problem == problem]
                self.assertEqual(len(found), len({(p.task_uuid, p.step_uuid) for p in found}))
                self.assertIn(problem, {p.problem for p in self.c.query(CHECK, None)})
                self.assertEqual(self.c.query(CHECK, other), [])
                self.c.script("ROLLBACK")
                self.assertTrue(found)
                for p in found:
                    self.assertEqual((p.task_uuid, p.step_uuid is not None), (task, names_step))
                    self.assertTrue(p.detail)

    def test_what_lost_its_owner_is_found(self):
        for problem, damage in LOST:
            with self.subTest(problem):
                task, _ = self.start(CHAIN)
                self.c.script("BEGIN")
                self.c.query(damage, task)
                self.assertIn(problem, {p.problem for p in self.c.query(CHECK, None)})
                self.c.script("ROLLBACK")


class Sweeper(DbTest):
    def repaired(self):
        return [(r.task_uuid, r.what) for r in self.e.sweep()]

    def test_a_healthy_database_is_left_alone(self):
        self.start(DIAMOND)
        self.start(DIAMOND, credit=0)
        task, assigns = self.start(CHAIN)
        self.e.settle(assigns, success=False)
        self.assertEqual(self.repaired(), [])

    def test_a_lost_message_is_sent_again(self):
        """Running: as if its worker were lost. Queued: as it was."""
        for credit in (10, 0):
            with self.subTest(credit=credit):
                task, _ = self.start(CHAIN, credit=credit)
                self.c.query("DELETE FROM pgmq.q_worker_shop_queue")
                self.assertIn("missing message", {p.problem for p in self.c.query(CHECK, task)})
                self.assertEqual([t for t, _ in self.repaired()], [task])
                again = self.one(self.e.claim(), "assign")
                self.assertEqual((again.task_uuid, again.step_name, again.retry_count), (task, "one", 0))
                while again:
                    again = (of(self.e.settle([again]), "assign") or [None])[0]
                self.assertEqual(self.e.task(task).state, "complete")

    def test_a_lost_timer_is_made_again(self):
        task, assigns = self.start(CHAIN)
        self.e.settle(assigns, success=False, delay_ms=0)
        self.c.query("DELETE FROM tasker.step_timers")
        self.assertEqual([t for t, _ in self.repaired()], [task])
        self.e.end_pauses()
        self.assertEqual(of(self.e.fire(), "assign")[0].step_name, "one")

    def test_a_stranded_step_is_dispatched(self):
        task, (first,) = self.start(CHAIN)
        self.e.settle([first], credit={})
        self.c.query("DELETE FROM pgmq.q_worker_shop_queue")
        self.c.query("UPDATE tasker.workflow_steps SET state = 'pending', msg_id = NULL WHERE task_uuid = $1 AND name = 'two'", task)
        self.c.query("UPDATE tasker.tasks SET active_steps = 0, state = 'waiting_for_dependencies' WHERE task_uuid = $1", task)
        self.assertEqual([t for t, _ in self.repaired()], [task])
        self.assertEqual(self.one(self.e.claim(), "assign").step_name, "two")

    def test_only_what_rested_for_a_while_is_looked_at(self):
        self.start(CHAIN)
        self.c.query("DELETE FROM pgmq.q_worker_shop_queue")
        self.assertEqual(self.e.sweep(idle_s=60), [])
        self.assertEqual(len(self.e.sweep(idle_s=0)), 1)

    def test_long_lists_are_looked_through_in_pages(self):
        tasks = sorted(self.start(CHAIN)[0] for _ in range(5))
        self.c.query("DELETE FROM pgmq.q_worker_shop_queue")
        pages, after = [], None
        while not pages or after:
            rows = self.e.sweep(limit=2, after=after)
            pages.append([r.task_uuid for r in of(rows, "repaired")])
            after = (of(rows, "next") or [{"task_uuid": None}])[0]["task_uuid"]
        self.assertEqual(pages, [tasks[:2], tasks[2:4], tasks[4:]])

    def test_a_task_somebody_works_on_is_left_alone(self):
        task, _ = self.start(CHAIN)
        self.c.query("DELETE FROM pgmq.q_worker_shop_queue")
        other = self.connect()
        other.script("BEGIN")
        other.query("SELECT 1 FROM tasker.tasks WHERE task_uuid = $1 FOR NO KEY UPDATE", task)
        self.assertEqual(self.repaired(), [])
        other.script("ROLLBACK")
        self.assertEqual(len(self.repaired()), 1)


class HeapOnly(DbTest):
    TABLES = ("tasks", "workflow_steps")

    def updates(self):
        self.c.script("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
        return {r.relname: (r.n_tup_upd, r.n_tup_hot_upd) for r in self.c.query(
            "SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE schemaname = 'tasker' AND relname = ANY ($1)", self.TABLES)}

    def test_nine_of_ten_updates_touch_no_index(self):
        template = self.e.register(MIXED)
        n = 400
        out = of(self.e.create(template, n=n, credit=n), "assign")
        while out:  # in lots of different sizes, every eleventh attempt fails once
            lot, out = out[:97], out[97:]
            ok = [a.attempt > 1 or i % 11 != 0 for i, a in enumerate(lot)]
            out += of(self.e.settle(lot, success=ok, delay_ms=0), "assign")
            out += of(self.e.fire(), "assign")
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.tasks WHERE state = 'complete'"), n)
        steps = n * len(MIXED)
        seen = eventually(lambda: (u := self.updates()).get("workflow_steps", (0, 0))[0] >= 2 * steps - n and u, what="the statistics are there")
        for table in self.TABLES:
            with self.subTest(table):
                self.assertGreaterEqual(seen[table][1] / seen[table][0], 0.9, seen)

    def test_no_index_mentions_what_changes(self):
        """Whatever an update of the hot path sets must be in no index, or it could not be heap-only."""
        changes = {"tasks": {"state", "open_steps", "failed_steps", "active_steps", "retry_steps", "updated_at", "completed_at"},
                   "workflow_steps": {"state", "unmet_parents", "attempts", "forgiven", "losses", "msg_id", "updated_at", "dispatched_at",
                                      "settled_at", "next_retry_at", "last_failure_at"}}
        for table, columns in changes.items():
            indexed = set(self.c.column(
                "SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) "
                "WHERE i.indrelid = ('tasker.' || $1)::regclass", table))
            self.assertTrue(indexed)
            self.assertEqual(indexed & columns, set())
            self.assertLessEqual(columns, set(self.c.column("SELECT attname::text FROM pg_attribute WHERE attrelid = ('tasker.' || $1)::regclass", table)))
