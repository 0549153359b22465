# SPDX-License-Identifier: MIT
"""Many finished tasks in the tables: copies of one that really ran, written by SQL; and what a new task then costs beside an empty database.

Model: the rows that one linear task leaves in each table are kept in temporary tables; INSERT … SELECT multiplies them, with ids of version 7 in the order of time, as
the services make them. Tasks, steps and edges are of all; the history, which is partitioned by month and let go by the month, only of the newest. Pages are written full
(those of tasks that ran are half empty, for heap-only updates), so the tables are about half as large as they would be; the indexes are as they would be.
"""
import random
import statistics
import sys
import threading
import time

from client import Wrong
from cost import cpu_seconds, postgres
from graphs import GRAPHS
from lib.system import eventually
from stats import quantiles

SLICE, DAYS = 50000, 20
WARM_UP, COUNTED = 30, 100  # tasks

# Of the n-th copy: its id, that of its k-th step, its moment. $3: milliseconds of the first, $4: between two of them.
ID = "(lpad(to_hex($3::int8 + (n * $4::float8)::int8), 12, '0') || '7' || lpad(to_hex({k}), 3, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid"
TASK, MOMENT = ID.format(k="0"), "to_timestamp(($3::int8 + (n * $4::float8)::int8) / 1000.0)"
STEP = "(SELECT step_no + 1 FROM old_workflow_steps s WHERE s.workflow_step_uuid = r.{})"
TABLES = {"tasks": "task_uuid = $1", "workflow_steps": "task_uuid = $1",
          "workflow_step_edges": "from_step_uuid IN (SELECT workflow_step_uuid FROM tasker.workflow_steps WHERE task_uuid = $1)",
          "step_results": "task_uuid = $1", "workflow_step_transitions": "task_uuid = $1", "task_transitions": "task_uuid = $1"}
HISTORY = ("step_results", "workflow_step_transitions", "task_transitions")
WRITERS = (("workflow_steps",), ("tasks", "workflow_step_edges", *HISTORY))
OWN = {"task_uuid": TASK, "identity_hash": "sha256(n::text::bytea)", "correlation_id": ID.format(k="4095"), "workflow_step_uuid": ID.format(k="r.k"),
       "from_step_uuid": ID.format(k="r.k_from"), "to_step_uuid": ID.format(k="r.k_to")}
SIZES = ("SELECT root.relname, sum(pg_table_size(c.oid))::int8 AS heap, sum(pg_indexes_size(c.oid))::int8 AS indexes, sum(greatest(c.reltuples, 0))::float8 AS rows FROM pg_class c "
         "JOIN pg_class root ON root.oid = coalesce(pg_partition_root(c.oid), c.oid) JOIN pg_namespace n ON n.oid = c.relnamespace "
         "WHERE n.nspname = 'tasker' AND c.relkind = 'r' AND root.relname = ANY ($1) GROUP BY 1 ORDER BY 1")
FILLFACTOR = "SELECT (SELECT option_value FROM pg_options_to_table(reloptions) WHERE option_name = 'fillfactor') FROM pg_class WHERE oid = $1::regclass"
CLOCK = ("SELECT extract(epoch FROM t.completed_at - t.created_at)::float8 * 1000 AS ms FROM tasker.tasks t JOIN unnest($1::uuid[]) WITH ORDINALITY u (id, n) ON u.id = t.task_uuid "
         "ORDER BY u.n")
RIGHT = ("SELECT count(*) FROM tasker.workflow_steps s JOIN tasker.step_results r USING (task_uuid, workflow_step_uuid) JOIN unnest($2::text[], $3::text[]) e (name, value) "
         "ON e.name = s.name AND e.value = r.result->>'result' WHERE s.task_uuid = ANY ($1::uuid[])")
INDEXES = ("SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS text, c.conname AS constraint, pg_get_constraintdef(c.oid) AS rule FROM pg_index i "
           "LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid WHERE i.indrelid = $1::regclass")


class Fill:
    def __init__(self, system, task, n, history):
        self.system, self.task, self.n, self.kept = system, task, n, max(0, n - history)
        # The newest is an hour old: nothing that runs is younger.
        self.first_ms, self.pace = int((time.time() - DAYS * 86400) * 1000), (DAYS * 86400 - 3600) * 1000 / n
        self.models, self.wrong, self.began = threading.Barrier(len(WRITERS)), None, time.monotonic()

    def statements(self, c):
        """(table, INSERT) for each table, whatever columns it has by now."""
        for table, of in TABLES.items():
            c.query(f"CREATE TEMP TABLE old_{table} AS SELECT * FROM tasker.{table} WHERE {of.replace('$1', chr(39) + self.task + chr(39) + '::uuid')}")
        for table, k, column in (("workflow_steps", "k", "workflow_step_uuid"), ("step_results", "k", "workflow_step_uuid"), ("workflow_step_transitions", "k", "workflow_step_uuid"),
                                 ("workflow_step_edges", "k_from", "from_step_uuid"), ("workflow_step_edges", "k_to", "to_step_uuid")):
            c.query(f"ALTER TABLE old_{table} ADD COLUMN {k} int")
            c.query(f"UPDATE old_{table} r SET {k} = {STEP.format(column)}")
        for table in TABLES:
            columns = c.query("SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped "
                              "AND attgenerated = '' ORDER BY attnum", f"tasker.{table}")
            values = [OWN.get(x.name) or (f"r.{x.name} - m.created_at + {MOMENT}" if x.type == "timestamp with time zone" else f"r.{x.name}") for x in columns]
            yield table, (f"INSERT INTO tasker.{table} ({', '.join(x.name for x in columns)}) SELECT {', '.join(values)} "
                          f"FROM generate_series($1::int8, $2::int8) n CROSS JOIN old_{table} r CROSS JOIN (SELECT created_at FROM old_tasks) m")

    def copies(self, c, table, text):
        """By slices, so that it can be seen how far it is."""
        first = self.kept + 1 if table in HISTORY else 1
        for at in range(first, self.n + 1, SLICE):
            c.query(text, at, min(self.n, at + SLICE - 1), self.first_ms, self.pace)
            if sys.stderr.isatty() or at % (SLICE * 20) == 1:
                print(f"{table}: {at - 1:,} of {self.n:,} old tasks, {time.monotonic() - self.began:.0f} s", file=sys.stderr, flush=True)

    @staticmethod
    def bare(c, table):
        """Emptied and without its indexes, in the transaction that fills it: with wal_level = minimal nothing of that is logged. Returns what makes it whole again."""
        full, again = f"tasker.{table}", []
        c.query(f"TRUNCATE {full}")
        if factor := c.value(FILLFACTOR, full):
            c.query(f"ALTER TABLE {full} SET (fillfactor = 100)")
            again.append(f"ALTER TABLE {full} SET (fillfactor = {factor})")
        for index in c.query(INDEXES, full):
            c.query(f"ALTER TABLE {full} DROP CONSTRAINT {index.constraint}" if index.constraint else f"DROP INDEX {index.name}")
            again.insert(0, f"ALTER TABLE {full} ADD CONSTRAINT {index.constraint} {index.rule}" if index.constraint else index.text)
        return again

    def write(self, tables):
        try:
            with self.system.conn() as c:
                for setting in ("jit = off", "maintenance_work_mem = '1GB'"):
                    c.query(f"SET {setting}")
                statements = dict(self.statements(c))
                self.models.wait()
                for table in tables:
                    c.query("BEGIN")
                    again = [] if table in HISTORY else self.bare(c, table)
                    self.copies(c, table, statements[table])
                    for text in again:
                        c.query(text)
                    c.query("COMMIT")
                    c.query(f"VACUUM (ANALYZE) tasker.{table}")
        except Exception as e:  # whatever it is, it is told by the one that waits
            self.wrong = e
            self.models.abort()

    def run(self):
        s = self.system
        self.settings(s, ("wal_level = minimal", "max_wal_senders = 0", "autovacuum = off"))
        writers = [threading.Thread(target=self.write, args=(tables,)) for tables in WRITERS]
        for w in writers:
            w.start()
        for w in writers:
            w.join()
        if self.wrong:
            raise self.wrong
        s.sql("UPDATE tasker.rolled_until SET until = looked_at")  # added up already, as old tasks are
        self.settings(s, ())
        s.sql("CHECKPOINT")

    @staticmethod
    def settings(s, wanted):
        """Of the server, which is started again, and the services connected again."""
        s.sql("ALTER SYSTEM RESET ALL")
        with s.conn() as c:
            for setting in wanted:
                c.query(f"ALTER SYSTEM SET {setting}")
        s.restart_postgres("fast")
        eventually(lambda: s.ready("orchestrator") and s.ready("worker"), 120, "the services are connected again")


def fill(bench, n, history):
    """Writes n old tasks; what there is afterwards."""
    done = bench.run([GRAPHS["linear"]], tasks=1, warmup=0)
    began, s = time.monotonic(), bench.system
    Fill(s, done["samples"][0][0], n, history).run()
    sizes = s.sql(SIZES, list(TABLES))
    return {"mode": "old", "variant": "written", "tasks": n, "tasks_with_history": min(n, history), "written_in_s": round(time.monotonic() - began), "rows": {
        r.relname: round(r.rows) for r in sizes}, "heap_bytes": sum(r.heap for r in sizes), "index_bytes": sum(r.indexes for r in sizes)}


def spent(system):
    """Seconds of CPU of PostgreSQL, bytes of WAL; the load is on one side at a time."""
    return sum(cpu_seconds(pid) for pid in postgres(system)), system.value("SELECT (pg_current_wal_insert_lsn() - '0/0')::float8")


def one(s, graph):
    """The id of a task that was run by itself."""
    task = s.submit(graph.namespace, graph.name, graph.context)
    if s.wait(task)["status"] != "complete":
        raise Wrong(f"task {task} is not complete")
    return task


def checked(s, graph, tasks):
    """Milliseconds by the database's clock, in the order of the tasks; every value is looked at."""
    right = s.value(RIGHT, tasks, list(graph.expect), [str(v) for v in graph.expect.values()])
    if right != len(tasks) * graph.steps:
        raise Wrong(f"{right} of {len(tasks) * graph.steps} values are right")
    return [r.ms for r in s.sql(CLOCK, tasks)]


def ratio(pairs, at):
    """Of the medians of both sides, and between what limits by resampling the pairs."""
    rng, rounds = random.Random(1), []
    for _ in range(1000):
        again = rng.choices(pairs, k=len(pairs))
        rounds.append(statistics.median(b for _, b in again) / statistics.median(a for a, _ in again))
    rounds.sort()
    return [round(x, 4) for x in (statistics.median(b for _, b in pairs) / statistics.median(a for a, _ in pairs), rounds[25], rounds[975])][at]


def turns(empty, full, samples):
    """The same tasks on both, one here, one there (A B B A …): whatever slows the machine slows both."""
    graph, sides, tasks, used = GRAPHS["linear"], (empty, full), ([], []), [(0.0, 0.0), (0.0, 0.0)]
    for i in range(WARM_UP + samples):
        for k in (0, 1)[::1 if i % 2 == 0 else -1]:
            tasks[k].append(one(sides[k], graph))
    found = [checked(s, graph, done)[WARM_UP:] for s, done in zip(sides, tasks)]
    for k, s in enumerate(sides):  # what they cost, one side after the other
        before = spent(s)
        done = [one(s, graph) for _ in range(COUNTED)]
        used[k] = tuple((now - then) / COUNTED / graph.steps for now, then in zip(spent(s), before))
        checked(s, graph, done)
    pairs = list(zip(*found))
    return {"mode": "old", "variant": "linear, by turns", "empty_ms": quantiles(found[0]), "full_ms": quantiles(found[1]), "p50_ratio": ratio(pairs, 0),
            "p50_ratio_interval": [ratio(pairs, 1), ratio(pairs, 2)], "postgres_us_per_step": {"empty": round(1e6 * used[0][0], 1), "full": round(1e6 * used[1][0], 1)},
            "wal_bytes_per_step": {"empty": round(used[0][1]), "full": round(used[1][1])}}
