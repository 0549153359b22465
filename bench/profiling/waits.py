# SPDX-License-Identifier: MIT
"""The kinds of profiles that look at waiting: locks of ours and of PostgreSQL, and statements."""
import os
import re
import shutil
import subprocess
import threading
import time

from lib import system as lib
from lib.system import eventually
from profiling import flame, stacks
from profiling.clocks import actors, differences
from profiling.kinds import TRACE, title

SAMPLE_SECONDS = 0.01
EVENTS = ("SELECT coalesce(nullif(application_name, ''), backend_type) AS who, coalesce(wait_event_type, 'CPU') AS kind, coalesce(wait_event, 'running') AS event "
          "FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()")


class Events:
    """Samples of what PostgreSQL's sessions do."""

    def __init__(self, system):
        self.system, self.found, self.samples, self.over = system, {}, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with self.system.conn() as c:
            while not self.over.wait(SAMPLE_SECONDS):
                self.samples += 1
                for row in c.query(EVENTS):
                    key = (f"{row.who} [thread]", f"{row.kind} [postgres]", f"{row.event} [postgres]")
                    self.found[key] = self.found.get(key, 0) + 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def locks(session, service, folder):
    """Our locks by stack, our waits by name, PostgreSQL's wait events by session."""
    trace = None
    with session.load(), Events(session.system) as events:
        before, began = session.runtime(service), time.monotonic()
        if shutil.which("bpftrace") and os.geteuid() == 0 and service != "postgres":
            trace = subprocess.run([TRACE, "locks", "--seconds", str(session.seconds), "--build", lib.BUILD], capture_output=True, text=True, check=False)
        else:
            time.sleep(session.seconds)
        after, took = session.runtime(service), time.monotonic() - began
    text = [title(session, "waiting", service), "", "actors and mailboxes", actors(before, after, took), "waits, by our own clocks", differences(before, after)]
    found = stacks.bpftrace(trace.stdout) if trace else {}
    if found:
        folder.put("stacks.folded", flame.write(found))
        folder.put("graph.svg", flame.svg(found, title(session, "waits for locks, all services", service), "µs"))
        text += flame.table("waits for locks by what asked for them, all services", flame.shares(found, lambda f: {f"{flame_name(f[0])}: {asker(f)}"}), 12)
        folder.put("locks.trace.txt", trace.stdout)
    elif trace is None:
        text.append("stacks of lock waits: bpftrace and root are needed (apt-get install bpftrace)")
    folder.put("database.svg", flame.svg(events.found, f"what PostgreSQL's sessions do, load: {session.args.load}", "samples"))
    text += flame.table(f"PostgreSQL's active sessions, {events.samples} samples", flame.shares(events.found, lambda f: {" ".join(flame_name(x) for x in f)}), 20)
    text = "\n".join(text) + "\n"
    folder.put("table.txt", text)
    return text


def asker(frames):
    return next((name for name in reversed(frames[1:]) if not name.startswith(("tk_lock_take", "take_after_wait"))), "?")


def flame_name(frame):
    return re.sub(r" \[\w+\]$", "", frame)


PRELOAD = ("shared_preload_libraries = 'pg_stat_statements', 'auto_explain'",)
SETTINGS = ("pg_stat_statements.track = 'all'", "track_functions = 'all'", "track_io_timing = on", "auto_explain.log_min_duration = 0", "auto_explain.log_nested_statements = on",
            "auto_explain.log_analyze = on", "auto_explain.log_timing = off", "auto_explain.sample_rate = 0.002")
NAMED = ("get_step_readiness_status", "transition_task_state_atomic", "get_task_execution_context", "get_next_ready_tasks", "pgmq_send_with_notify", "settle_steps", "create_tasks", "claim_steps")
FUNCTIONS = ("SELECT schemaname || '.' || funcname AS name, calls, total_time AS total_ms, self_time AS self_ms FROM pg_stat_user_functions "
             "WHERE schemaname IN ('tasker', 'pgmq') AND calls > 0 ORDER BY self_time DESC")
STATEMENTS = ("SELECT queryid, toplevel, calls, rows, total_exec_time AS total_ms, wal_bytes::float8 AS wal, shared_blks_hit AS hit, shared_blks_read AS read, query "
              "FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY total_exec_time DESC LIMIT 400")
SOURCES = "SELECT n.nspname || '.' || p.proname AS name, p.prosrc AS text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('tasker', 'pgmq')"


def squeezed(text):
    """One line, without the comments at its beginning."""
    return re.sub(r"\s+", " ", re.sub(r"\A(\s*--[^\n]*\n)+", "", text)).strip().lower()


def owner(statement, sources):
    """The function whose body holds the beginning of the statement, as far as it has no constant in it."""
    start = squeezed(statement).split("$")[0][:80].rstrip()
    return next((name for name, text in sources if len(start) > 20 and start in text), None)


def sql(session, _service, folder):
    """Time by function and by statement, as the server counts it; plans of some of them."""
    system = session.system
    with system.conn() as c:
        for setting in PRELOAD:
            c.query(f"ALTER SYSTEM SET {setting}")
    system.restart_postgres("fast")
    with system.conn() as c:
        c.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        for setting in SETTINGS:
            c.query(f"ALTER SYSTEM SET {setting}")
        c.query("SELECT pg_reload_conf()")
    eventually(lambda: system.ready("orchestrator") and system.ready("worker"), 60, "the services are connected again")
    with session.load() as done:
        system.sql("SELECT pg_stat_statements_reset()")
        system.sql("SELECT pg_stat_reset()")
        before, wal = session.steps(), system.value("SELECT wal_bytes::float8 FROM pg_stat_wal")
        time.sleep(session.seconds)
        steps = max(1, session.steps() - before)
        functions, statements = system.sql(FUNCTIONS), system.sql(STATEMENTS)
        wal = system.value("SELECT wal_bytes::float8 FROM pg_stat_wal") - wal
    sources = [(r.name, squeezed(r.text)) for r in system.sql(SOURCES)]
    found, top = {}, []
    for r in functions:
        found[(f"{r.name} [thread]", "the function's own code [postgres]")] = r.self_ms
    for r in statements:
        if not r.toplevel and (name := owner(r.query, sources)):
            found[(f"{name} [thread]", f"{squeezed(r.query)[:120].replace(';', ',')} [postgres]")] = r.total_ms
            own = (f"{name} [thread]", "the function's own code [postgres]")
            found[own] = max(0.0, found.get(own, 0.0) - r.total_ms)
        if r.toplevel:
            top.append(r)
    lines = [f"SQL, load: {session.args.load}: {steps:,} steps, {wal / steps:,.0f} bytes of WAL per step", "", "functions (total: what they call included; self: their statements included)",
             f"{'function':44} {'calls':>8} {'total ms':>10} {'self ms':>10} {'µs/call':>9} {'µs/step':>8}"]
    for r in functions[:15]:
        lines.append(f"{r.name:44} {r.calls:8,} {r.total_ms:10.1f} {r.self_ms:10.1f} {r.total_ms / r.calls * 1000:9.1f} {r.total_ms / steps * 1000:8.1f}")
    rest = [r for r in functions[15:] if r.name.split(".")[1] in NAMED]
    lines += [f"{r.name:44} {r.calls:8,} {r.total_ms:10.1f} {r.self_ms:10.1f} {r.total_ms / r.calls * 1000:9.1f} {r.total_ms / steps * 1000:8.1f}" for r in rest]
    absent = [name for name in NAMED if not any(r.name.endswith("." + name) for r in functions)]
    lines += ["not called by this load: " + ", ".join(absent)] if absent else []
    lines += ["", "statements from outside", f"{'calls':>8} {'ms':>10} {'µs/call':>9} {'µs/step':>8} {'rows':>9}  statement"]
    lines += [f"{r.calls:8,} {r.total_ms:10.1f} {r.total_ms / r.calls * 1000:9.1f} {r.total_ms / steps * 1000:8.1f} {r.rows:9,}  {squeezed(r.query)[:110]}" for r in top[:12]]
    lines += ["", "statements inside functions", f"{'calls':>8} {'ms':>10} {'µs/call':>9} {'µs/step':>8} {'WAL/step':>9}  function: statement"]
    inner = [r for r in statements if not r.toplevel][:20]
    lines += [f"{r.calls:8,} {r.total_ms:10.1f} {r.total_ms / r.calls * 1000:9.1f} {r.total_ms / steps * 1000:8.1f} {r.wal / steps:9.0f}  "
              f"{(owner(r.query, sources) or '?').split('.')[-1]}: {squeezed(r.query)[:100]}" for r in inner]
    del done
    folder.put("stacks.folded", flame.write(found))
    folder.put("graph.svg", flame.svg(found, f"time in SQL functions by statement, load: {session.args.load}", "ms"))
    plans(system, folder)
    text = "\n".join(lines) + "\n"
    folder.put("table.txt", text)
    return text


def plans(system, folder):
    """What auto_explain has logged, each statement's plan once."""
    paths = [os.path.join(system.dir, "logs", "postgres.log"), os.path.join(system.endpoints["postgres_data"], "restarted.log")]
    seen, out = set(), []
    for path in filter(os.path.exists, paths):
        with open(path, encoding="utf-8", errors="replace") as f:
            text = f.read()
        for plan in re.findall(r"plan:\n((?:\t.*\n)+)", text):
            key = squeezed(plan.split("\n\t")[0])[:150]
            if key not in seen:
                seen.add(key)
                out.append(plan)
    folder.put("plans.txt", "\n".join(out))
