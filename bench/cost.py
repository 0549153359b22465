# SPDX-License-Identifier: MIT
"""What a load costs: CPU, context switches and memory of each process, transactions and WAL of the database, per step."""
import os

TICKS = os.sysconf("SC_CLK_TCK")
STEPS = "SELECT count(*) FROM tasker.step_results"
DATABASE = "SELECT xact_commit + xact_rollback AS transactions FROM pg_stat_database WHERE datname = current_database()"
DEAD = ("SELECT relname, n_dead_tup, n_live_tup, pg_total_relation_size(relid) AS bytes FROM pg_stat_user_tables "
        "WHERE schemaname = 'tasker' AND relname IN ('tasks', 'workflow_steps', 'step_results') ORDER BY 1")


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


class Cost:
    """Between two looks. A client of the load is told by its own pid, or counted afterwards by its rusage."""

    def __init__(self, s):
        self.s, self.before = s, self.look(s)

    @staticmethod
    def look(s):
        s.sql("SELECT pg_stat_clear_snapshot()")
        return {"cpu": {name: {p: cpu_seconds(p) for p in group} for name, group in pids(s).items()},
                "switches": {name: {p: switches(p) for p in group} for name, group in pids(s).items()},
                "wal": s.value("SELECT wal_bytes FROM pg_stat_wal"), "transactions": s.value(DATABASE), "steps": s.value(STEPS)}

    def end(self):
        now = self.look(self.s)
        steps = max(1, now["steps"] - self.before["steps"])

        def grown(what):
            return {name: sum(value - self.before[what].get(name, {}).get(pid, 0) for pid, value in group.items()) for name, group in now[what].items()}
        return {"steps": steps,
                "cpu_us_per_step": {name: round(value / steps * 1e6, 1) for name, value in grown("cpu").items()},
                "context_switches_per_step": {name: round(value / steps, 2) for name, value in grown("switches").items()},
                "wal_bytes_per_step": round((now["wal"] - self.before["wal"]) / steps),
                "transactions_per_step_with_reads": round((now["transactions"] - self.before["transactions"]) / steps, 3)}


def tables(s):
    """Dead and live rows and bytes of the tables that grow."""
    return {r.relname: {"dead": r.n_dead_tup, "live": r.n_live_tup, "bytes": r.bytes} for r in s.sql(DEAD)}
