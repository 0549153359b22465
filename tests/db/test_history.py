# SPDX-License-Identifier: MIT
"""History by month: partitions are there before they are needed, nothing is refused where they are not, old ones go whole, and what
the engine and its checks say stays true."""
import datetime
import threading
import time

from engine import CHAIN, CHECK, DbTest, new_uuid, of
from lib import pg
from lib.system import eventually

TABLES = ("step_results", "workflow_step_transitions", "task_transitions")
AHEAD = 2


def month(back):
    """The first day of the month `back` months ago."""
    now = datetime.datetime.now(datetime.timezone.utc)
    years, left = divmod(now.year * 12 + now.month - 1 - back, 12)
    return datetime.datetime(years, left + 1, 1, tzinfo=datetime.timezone.utc)


class HistoryTest(DbTest):
    def run_all(self, back=0, n=1):
        """n tasks of a chain, created in the middle of that month, to their end; their uuids."""
        at = time.time() if not back else month(back).timestamp() + 14 * 86400
        rows = self.e.create(self.e.register(CHAIN), n=n, credit=n, task=[new_uuid(at + i) for i in range(n)])
        out = of(rows, "assign")
        while out:
            out = of(self.e.settle(out), "assign")
        return [r.task_uuid for r in of(rows, "created")]

    def partitions(self, table):
        return set(self.c.column("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ('tasker.' || $1)::regclass", table))

    def rows(self, where="true", *args):
        return [self.c.value(f"SELECT count(*) FROM tasker.{t} WHERE {where}", *args) for t in TABLES]

    def make(self, ahead=AHEAD):
        return self.c.value("SELECT tasker.make_history_months($1)", ahead)

    def drop(self, back):
        return self.c.query("SELECT * FROM tasker.drop_history($1)", month(back).date())[0]

    def month_of(self, back):
        found, = [m for m in self.c.query("SELECT * FROM tasker.history_months(NULL, NULL)") if m.month == str(month(back).date())]
        return found


class Partitions(HistoryTest):
    def test_this_month_and_the_next_have_partitions_and_are_used(self):
        for table in TABLES:
            names = {f"tasker.{table}_{month(-n):%Y%m}" for n in range(AHEAD + 1)} | {f"tasker.{table}_default"}
            self.assertEqual(self.partitions(table), names)
        self.run_all(n=3)
        for table, n in zip(TABLES, self.rows()):
            self.assertGreater(n, 0)
            self.assertEqual(self.c.value(f"SELECT count(*) FROM tasker.{table}_{month(0):%Y%m}"), n)
        self.assertEqual(self.make(), 0)

    def test_what_has_no_partition_is_kept_and_moved_to_one_later(self):
        old, = self.run_all(back=3)
        before = self.rows("task_uuid = $1", old)
        self.assertEqual(before, [4, 8, 2])
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.step_results_default"), 4)
        self.assertEqual(self.make(), len(TABLES))
        self.assertEqual(self.rows("task_uuid = $1", old), before)
        self.assertEqual([self.c.value(f"SELECT count(*) FROM tasker.{t}_{month(3):%Y%m}") for t in TABLES], before)
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.step_results_default"), 0)
        self.assertEqual(self.c.query(CHECK, None), [])

    def test_another_kind_of_uuid_stays_where_it_is(self):
        odd = "ffffffff-0000-4000-8000-000000000001"
        self.e.settle(of(self.e.create(self.e.register({"one": []}), credit=1, task=[odd]), "assign"))
        self.assertEqual(self.make(), 0)
        self.assertEqual(self.rows("task_uuid = $1", odd), [1, 2, 2])

    def test_the_edges_of_a_month(self):
        for at, where in ((month(0), 0), (month(-1) - datetime.timedelta(milliseconds=1), 0), (month(-1), -1)):
            task = new_uuid(at.timestamp())
            self.e.create(self.e.register({"one": []}), credit=0, task=[task])
            self.assertEqual(self.c.value("SELECT tableoid::regclass::text FROM tasker.task_transitions WHERE task_uuid = $1", task),
                             f"tasker.task_transitions_{month(where):%Y%m}")
            self.assertEqual(self.c.value("SELECT tasker._uuid_month($1)", task), str(month(where).date()))

    def test_a_result_is_stored_once_wherever_it_is(self):
        for back in (0, 5):
            task = new_uuid(month(back).timestamp() + 1)
            held = of(self.e.create(self.e.register(CHAIN), credit=1, task=[task]), "assign")
            self.e.settle(held)
            self.assertEqual([r.kind for r in self.e.settle(held)], ["already"])
            with self.assertRaisesRegex(pg.PgError, "duplicate key"):
                self.c.query("INSERT INTO tasker.step_results SELECT * FROM tasker.step_results WHERE task_uuid = $1", task)

    def test_whoever_holds_a_lock_is_not_waited_for_long(self):
        self.run_all(back=3)
        other = self.connect()
        other.script("BEGIN; SELECT * FROM tasker.step_results")
        began = time.monotonic()
        with self.assertRaises(pg.PgError) as caught:
            self.make()
        self.assertEqual(caught.exception.sqlstate, "55P03")
        self.assertLess(time.monotonic() - began, 5)
        other.script("ROLLBACK")
        self.assertEqual(self.make(), len(TABLES))

    def test_what_was_there_before_is_kept(self):
        """The migration on a database with history of several months."""
        server = pg.shared()
        db = server.database()
        with server.connect(db, hot=False) as c:
            c.script("CREATE EXTENSION pgmq" if c.query("SELECT 1 FROM pg_available_extensions WHERE name = 'pgmq'") else pg.pgmq_sql())
            files = dict(pg.migrations())
            c.script(files.pop("schema/0001_core.sql"))
            for back, n in ((7, 3), (1, 2), (0, 4)):
                for _ in range(n):
                    at = month(back).timestamp() + 3600
                    c.query("INSERT INTO tasker.step_results VALUES ($1, 1, $2, true, 1, 'w', '{}', to_timestamp($3::float8))", new_uuid(at), new_uuid(at), at)
                    c.query("INSERT INTO tasker.workflow_step_transitions VALUES ($1, $2, 'pending', 'in_progress', 1, to_timestamp($3::float8))",
                            new_uuid(at), new_uuid(at), at)
                    c.query("INSERT INTO tasker.task_transitions VALUES ($1, NULL, 'steps_in_process', to_timestamp($2::float8))", new_uuid(at), at)
            for text in files.values():
                c.script(text)
            self.assertEqual([c.value(f"SELECT count(*) FROM tasker.{t}") for t in TABLES], [9, 9, 9])
            self.assertEqual(c.value("SELECT tasker.make_history_months(1)"), len(TABLES) * 4)
            self.assertEqual([c.value(f"SELECT count(*) FROM tasker.{t}") for t in TABLES], [9, 9, 9])
            for back, n in ((7, 3), (1, 2), (0, 4), (-1, 0)):
                self.assertEqual([c.value(f"SELECT count(*) FROM tasker.{t}_{month(back):%Y%m}") for t in TABLES], [n] * 3)
            self.assertEqual([c.value(f"SELECT count(*) FROM tasker.{t}_default") for t in TABLES], [0] * 3)


class Dropping(HistoryTest):
    def test_a_month_goes_whole_and_the_tasks_stay(self):
        old, new = self.run_all(back=3, n=2), self.run_all(n=2)
        self.make()
        kept = self.rows("task_uuid = ANY ($1)", new)
        self.assertEqual((self.month_of(3).tasks, self.month_of(3).open_tasks), (2, 0))
        self.assertEqual(self.drop(3).outcome, "dropped")
        self.assertEqual(self.rows(), kept)
        self.assertEqual({self.e.task(t).state for t in old + new}, {"complete"})
        self.assertEqual(self.c.query(CHECK, None), [], "complete steps without results, for a reason")
        self.assertIsNotNone(self.month_of(3).dropped_at)
        self.assertEqual((self.month_of(3).tasks, self.drop(3).outcome), (2, "unknown"))
        self.assertEqual(self.make(), 0, "a dropped month does not come back")
        document = self.c.column("SELECT tasker.step_responses($1, NULL)", old[0])
        self.assertEqual(len(document), len(CHAIN))

    def test_a_missing_result_of_another_month_is_still_found(self):
        self.run_all(back=3)
        other, = self.run_all(back=2)
        self.make()
        self.drop(3)
        self.c.query("DELETE FROM tasker.step_results WHERE task_uuid = $1", other)
        found = self.c.query(CHECK, None)
        self.assertEqual({(p.problem, p.task_uuid) for p in found}, {("complete without result", other)})
        self.assertEqual(len(found), len(CHAIN))
        self.consistent = False

    def test_a_month_with_an_open_task_is_kept(self):
        self.run_all(back=3)
        task = new_uuid(month(3).timestamp() + 5)
        held = of(self.e.create(self.e.register(CHAIN), credit=1, task=[task]), "assign")
        self.make()
        before = self.rows()
        self.assertEqual(tuple(self.drop(3).values()), ("open", 1, task))
        self.assertEqual(self.rows(), before)
        while held:
            held = of(self.e.settle(held), "assign")
        self.assertEqual(self.drop(3).outcome, "dropped")

    def test_this_month_and_those_to_come_are_kept(self):
        self.run_all()
        self.assertEqual([self.drop(back).outcome for back in (0, -1, 40)], ["not over", "not over", "unknown"])

    def test_what_is_due(self):
        self.run_all(back=1)
        self.run_all(back=3)
        self.make()

        def due(before, age):
            return [m.month for m in self.c.query("SELECT * FROM tasker.history_months($1, $2)", before, age) if m.due]
        self.assertEqual(due(None, None), [])
        self.assertEqual(due(month(2).date(), None), [str(month(3).date())])
        self.assertEqual(due(month(0).date(), None), [str(month(back).date()) for back in (3, 1)])
        self.assertEqual(due((month(0) - datetime.timedelta(days=1)).date(), None), [str(month(3).date())], "a part of a month is no month")
        self.assertEqual(due(None, "32 days"), [str(month(3).date())])
        self.assertEqual(due(None, "10 years"), [])

    def test_under_load_nobody_fails_and_nothing_is_lost(self):
        """Months are made and dropped while others create and settle."""
        for back in range(3, 9):
            self.run_all(back=back)
        self.make()
        stop, done, failed = threading.Event(), [], []

        def load():
            conn = pg.shared().connect(self.db)
            engine = type(self.e)(conn)
            template = engine.register(CHAIN, name=f"load_{threading.get_ident()}")
            try:
                while not stop.is_set():
                    rows = engine.create(template, n=5, credit=5)
                    out = of(rows, "assign")
                    while out:
                        out = of(engine.settle(out), "assign")
                    done.append(5)
            except pg.PgError as e:
                failed.append(e)
            finally:
                conn.close()
        threads = [threading.Thread(target=load) for _ in range(3)]
        for t in threads:
            t.start()
        try:
            for back in range(3, 9):
                eventually(lambda: self.try_drop(back), what="the month is dropped")
            eventually(lambda: self.try_make(6), what="more months are made")
        finally:
            stop.set()
            for t in threads:
                t.join()
        self.assertEqual(failed, [])
        self.assertEqual(self.rows(), [4 * sum(done), 8 * sum(done), 2 * sum(done)])

    def try_drop(self, back):
        try:
            return self.drop(back).outcome == "dropped"
        except pg.PgError as e:
            self.assertEqual(e.sqlstate, "55P03")

    def try_make(self, ahead):
        try:
            return self.make(ahead)
        except pg.PgError as e:
            self.assertEqual(e.sqlstate, "55P03")
