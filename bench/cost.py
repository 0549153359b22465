# SPDX-License-Identifier: MIT
"""What a load costs: CPU, context switches and memory of each process, transactions, rows and WAL of the database, per step."""
import os

TICKS = os.sysconf("SC_CLK_TCK")
STEPS = "SELECT count(*) FROM tasker.step_results"
DATABASE = "SELECT xact_commit + xact_rollback AS transactions FROM pg_stat_database WHERE datname = current_database()"
ROWS = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int8 FROM pg_stat_user_tables"
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
DEAD = ("SELECT root.relname, sum(t.n_dead_tup)::int8 AS n_dead_tup, sum(t.n_live_tup)::int8 AS n_live_tup, sum(pg_total_relation_size(t.relid))::int8 AS bytes "
        "FROM pg_stat_user_tables t JOIN pg_class root ON root.oid = coalesce(pg_partition_root(t.relid), t.relid) "
        "WHERE t.schemaname = 'tasker' AND root.relname IN ('tasks', 'workflow_steps', 'step_results') GROUP BY 1 ORDER BY 1")


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def cpu_seconds(pid):
    words = read(f"/proc/{pid}/stat").rsplit(")", 1)[-1].split()
    return (int(words[11]) + int(words[12])) / TICKS if len(words) > 12 else 0.0


def status(pid, key):
    return next((int(line.split()[1]) for line in read(f"/proc/{pid}/status").splitlines() if line.startswith(key + ":")), 0)


def switches(pid):
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task") if os.path.isdir(f"/proc/{pid}/task") else []:
        text = read(f"/proc/{pid}/task/{thread}/status")
        total += sum(int(line.split()[1]) for line in text.splitlines() if "ctxt_switches" in line)
    return total


def postgres(s):
    """The postmaster and its children."""
    first = int(read(os.path.join(s.endpoints["postgres_data"], "postmaster.pid")).split()[0])
    children = [int(p) for p in os.listdir("/proc") if p.isdigit() and f"PPid:\t{first}\n" in read(f"/proc/{p}/status")]
    return [first, *children]


def pids(s):
    groups = {kind: [p["pid"] for p in s.endpoints[kind + "s"]] for kind in ("orchestrator", "worker", "cache")}
    return {**groups, "postgres": postgres(s)}


def peak_rss(s):
    return {kind: round(sum(status(p["pid"], "VmHWM") for p in s.endpoints[kind + "s"]) / 1024, 1) for kind in ("orchestrator", "worker", "cache")}


def rss(s):
    return {kind: round(sum(status(p["pid"], "VmRSS") for p in s.endpoints[kind + "s"]) / 1024, 1) for kind in ("orchestrator", "worker", "cache")}


class Cost:
    """Between two looks. A client of the load is told by its own pid, or counted afterwards by its rusage."""

    def __init__(self, s):
        self.s, self.before, self.after = s, self.look(s), None

    @staticmethod
    def look(s):
        s.sql("SELECT pg_stat_clear_snapshot()")
        return {"cpu": {name: {p: cpu_seconds(p) for p in group} for name, group in pids(s).items()},
                "switches": {name: {p: switches(p) for p in group} for name, group in pids(s).items()},
                "rows": s.value(ROWS), "statements": s.metric(s.rest, "tasker_database_call_seconds_count"),
                "bytes": s.metric(s.rest, "tasker_orchestrator_stream_bytes_total"), "frames": s.metric(s.rest, "tasker_orchestrator_stream_frames_total"),
                "commits": s.metric(s.rest, "tasker_orchestrator_transactions_total"),
                "wal": s.value("SELECT wal_bytes FROM pg_stat_wal"), "transactions": s.value(DATABASE), "steps": s.value(STEPS)}

    def stop(self):
        """The second look."""
        self.after = self.look(self.s)

    def end(self):
        now = self.after
        steps = max(1, now["steps"] - self.before["steps"])

        def grown(what):
            return {name: sum(value - self.before[what].get(name, {}).get(pid, 0) for pid, value in group.items()) for name, group in now[what].items()}

        def per_step(what, digits=2):
            return round((now[what] - self.before[what]) / steps, digits)
        return {"steps": steps,
                "commits_per_step": per_step("commits", 4), "statements_per_step": per_step("statements"), "rows_per_step": per_step("rows"),
                "stream_bytes_per_step": per_step("bytes", 0), "stream_frames_per_step": per_step("frames"),
                "connections": self.s.value(CONNECTIONS), "peak_rss_mb": peak_rss(self.s),
                "cpu_us_per_step": {name: round(value / steps * 1e6, 1) for name, value in grown("cpu").items()},
                "context_switches_per_step": {name: round(value / steps, 2) for name, value in grown("switches").items()},
                "wal_bytes_per_step": round((now["wal"] - self.before["wal"]) / steps),
                "transactions_per_step_with_reads": round((now["transactions"] - self.before["transactions"]) / steps, 3)}


def tables(s):
    """Dead and live rows and bytes of the tables that grow."""
    return {r.relname: {"dead": r.n_dead_tup, "live": r.n_live_tup, "bytes": r.bytes} for r in s.sql(DEAD)}
