# SPDX-License-Identifier: MIT
"""What can be measured. Each mode yields lines (dicts); `bench` is the running system, its client, and what was asked for."""
import itertools
import json
import os
import re
import time

import client
import sqlbench
from client import Later, Wrong
from cost import Cost, rss, tables
from floor import floor
from graphs import GRAPHS, LOADS
from lib.system import BIN, eventually
from lists import lists as pages
from old import fill, turns
from stats import quantiles

CLOCK = "SELECT task_uuid::text, extract(epoch FROM completed_at - created_at)::float8 * 1000 AS ms FROM tasker.tasks WHERE task_uuid = ANY ($1)"
WAITING = "SELECT count(*) FROM tasker.workflow_steps WHERE task_uuid = ANY ($1) AND state = 'enqueued'"
WARM_UP = 50
TURN = 25      # tasks of one graph, one at a time, before it is the turn of the next: a divisor of WARM_UP
COUNTED = 100  # tasks whose cost is looked at
RAMP = (10, 25, 50, 100, 200, 400, 800, 1200, 1600, 2000)
CLIENTS = (1, 4, 16, 64, 256)
STATISTICS = 1.5  # seconds until PostgreSQL's own counters have arrived


class Bench:
    """`system` is None when somebody else's server is measured."""

    def __init__(self, system, url, args, another=None):
        """`another`: makes a second system, a context manager."""
        self.system, self.url, self.args, self.another = system, url, args, another
        self.client = os.path.join(BIN, "tasker-bench")

    def run(self, graphs, cost=None, **options):
        """With a cost, that of the load alone: reading everything back comes after it."""
        def loaded():
            time.sleep(STATISTICS)
            cost.stop()
        if not self.system:
            options.setdefault("poll", 2)  # somebody else's server may know no way to wait
        return client.run(self.client, self.url, graphs, progress=True, loaded=loaded if cost else None, **options)

    def cost(self):
        if not self.system:
            return None
        time.sleep(STATISTICS)
        return Cost(self.system)

    @staticmethod
    def costs(cost, done):
        """With the client's own share, so that it can be seen how little it costs."""
        if not cost:
            return {}
        found = cost.end()
        found["cpu_us_per_step"]["client"] = round(done["cpu_seconds"] / found["steps"] * 1e6, 1)
        return found


def client_share(done):
    return {"client_percent_of_a_core": round(done["cpu_percent_of_a_core"], 1), "verified_steps": done["verified"]["steps"],
            "attempts_per_step": round(done["verified"]["attempts"] / max(1, done["verified"]["steps"]), 4)}


def of_graph(done, at):
    return [row for row in done["samples"] if row[4] == at]


def latency(bench, variant="1x1"):
    """Three clocks: the database's, a client that waits, a client that asks every 2 ms. All graphs by turns, and the floor before and after: whatever slows the machine
    slows all that is compared. What a step of each costs is counted afterwards."""
    system, graphs = bench.system, list(GRAPHS.values())
    plan = {"tasks": len(graphs) * (bench.args.samples + WARM_UP), "warmup": len(graphs) * WARM_UP, "turn": TURN}
    if system:
        yield {"mode": "floor", "variant": variant, **floor(system, 1)}
        waited = bench.run(graphs, **plan)
        yield {"mode": "floor", "variant": variant, **floor(system, 1)}
    polled = bench.run(graphs, poll=2, **plan)
    for at, (name, graph) in enumerate(GRAPHS.items()):
        rows = of_graph(polled, at)
        line = {"mode": "latency", "variant": variant, "graph": name, "poll_ms": quantiles([row[3] for row in rows]), "submit_ms": quantiles([row[2] for row in rows])}
        if system:
            rows = of_graph(waited, at)
            ms = [r.ms for r in system.sql(CLOCK, [row[0] for row in rows])]
            before, cost = tables(system), bench.cost()
            done = bench.run([graph], cost, tasks=COUNTED)
            line |= {"database_ms": quantiles(ms), "wait_ms": quantiles([row[3] for row in rows]), "submit_ms": quantiles([row[2] for row in rows]),
                     **client_share(done), **bench.costs(cost, done), "tables_before": before, "tables_after": tables(system), "cdf": [round(x, 3) for x in ms]}
        yield line


def throughput(bench):
    for name, n in itertools.chain((("linear", c) for c in CLIENTS), [("diamond", 64)]):
        before = tables(bench.system) if bench.system else None
        cost = bench.cost()
        done = bench.run([GRAPHS[name]], cost, clients=n, seconds=bench.args.seconds)
        steps = done["tasks"] * GRAPHS[name].steps
        yield {"mode": "throughput", "variant": name, "clients": n, "seconds": round(done["seconds"], 1), "steps_per_second": round(steps / done["seconds"]),
               "tasks_per_second": round(done["tasks_per_second"]), "refused": done["refused"], "submit_ms": done["submit_ms"], "task_ms": done["task_ms"],
               **client_share(done), **bench.costs(cost, done), **({"tables_before": before, "tables_after": tables(bench.system)} if bench.system else {})}


def ramp(bench):
    """Open loop: tasks begin when they are due, and count from then; ends where the server no longer follows."""
    seconds = min(30, bench.args.seconds)
    for rate in RAMP:
        before, cost = tables(bench.system) if bench.system else None, bench.cost()
        done = bench.run([GRAPHS["linear"]], cost, mode="open", rate=rate, clients=512, seconds=seconds)
        reached = done["tasks"] / done["seconds"]
        yield {"mode": "ramp", "tasks_per_second_asked": rate, "tasks_per_second": round(reached, 1), "task_ms": done["task_ms"], "refused": done["refused"],
               **client_share(done), **bench.costs(cost, done), **({"tables_before": before, "tables_after": tables(bench.system)} if bench.system else {})}
        if reached < 0.9 * rate:
            return


def load(bench):
    """1,000 tasks of 100 steps as fast as they are accepted, then the same per step for one small and one large task."""
    for name in ("chain", "layers", "fan", "mixed100"):
        graph, cost, dead = LOADS[name], bench.cost(), tables(bench.system) if bench.system else None
        done = bench.run([graph], cost, mode="create", clients=16, tasks=bench.args.tasks, patience=600)
        steps = done["tasks"] * graph.steps
        line = {"mode": "load", "shape": name, "tasks": done["tasks"], "created_after_s": round(done["created_after_s"], 2), "last_completion_s": round(done["seconds"], 2),
                "steps_per_second": round(steps / done["seconds"]), "refused": done["refused"], **client_share(done), **bench.costs(cost, done)}
        if bench.system:
            line |= {"task_ms": quantiles([r.ms for r in bench.system.sql(CLOCK, [row[0] for row in done["samples"]])], intervals=False),
                     "tables_before": dead, "tables_after": tables(bench.system)}
        yield line


def growth(bench):
    """Cost per step of a small and of a large task, one at a time."""
    for name, n in (("wide10", 100), ("wide100", 30), ("wide1000", 10), ("wide10000", 3)):
        done = bench.run([LOADS[name]], tasks=n + 1, warmup=1, patience=600)
        per_step = [row[3] / LOADS[name].steps for row in done["samples"]]
        yield {"mode": "growth", "variant": f"{LOADS[name].steps} steps", "ms_per_step": quantiles(per_step), **client_share(done)}


def old(bench):
    """A new task beside many finished ones, and on an empty database, by turns: two systems, of which one is idle. The full one is not asked for its consistency at
    the end: nothing in it but the measured tasks ran."""
    with bench.another() as system:
        full = Bench(system, system.rest, bench.args)
        yield fill(full, bench.args.old_tasks, bench.args.old_history)
        yield turns(bench.system, system, bench.args.samples)


def lists(bench):
    """Pages of the task list over many tasks; a system of its own, for its tasks have no steps."""
    with bench.another() as system:
        yield from pages(system, bench.args.old_tasks)


def fair(bench):
    """Small tasks, one at a time, alone and while a task of 10,000 steps that keep all permits busy waits in the same queue."""
    if not bench.system:
        return
    crowd, small, samples, s = LOADS["crowd"], LOADS["small"], min(100, bench.args.samples), bench.system
    for variant in ("alone", "beside 10,000 steps"):
        waits = []
        if variant != "alone":
            waits = [s.submit(crowd.namespace, crowd.name, crowd.context)]
            eventually(lambda task=waits[0]: s.value(WAITING, [task]) > crowd.steps * 0.9, 120, "the large task has fanned out")
        begun = time.monotonic()
        done = bench.run([small], tasks=samples + 10, warmup=10)
        seconds, left = time.monotonic() - begun, s.value(WAITING, waits)
        if waits and not left:
            raise Wrong("the large task was over before the small ones: take fewer --samples")
        for task in waits:
            s.call("DELETE", f"/v1/tasks/{task}")
        rows = s.sql(CLOCK, [row[0] for row in done["samples"]])
        yield {"mode": "fair", "variant": variant, "steps": small.steps, "database_ms": quantiles([r.ms for r in rows]),
               "wait_ms": quantiles([row[3] for row in done["samples"]]), "seconds": round(seconds, 1), "still_waiting": left, **client_share(done)}


def soak(bench):
    """64 clients; a figure per minute. In the third and fourth an idle transaction holds a snapshot, as a forgotten session would. All values are read back at the end."""
    holder, minutes, system, later = None, max(1, bench.args.seconds // 60), bench.system, Later()
    before = tables(system) if system else None
    for minute in range(minutes):
        if system and minute == 2:
            holder = system.conn()
            holder.query("BEGIN ISOLATION LEVEL REPEATABLE READ")
            holder.query("SELECT count(*) FROM tasker.tasks")
        if holder and minute == 4:
            holder.query("ROLLBACK")
            holder.close()
            holder = None
        cost = bench.cost()
        done = bench.run([GRAPHS["linear"]], cost, clients=64, seconds=57, later=later)
        line = {"mode": "soak", "minute": minute + 1, "steps_per_second": round(done["tasks"] * 4 / done["seconds"]), "task_ms": done["task_ms"], "refused": done["refused"],
                "snapshot_held": holder is not None, **bench.costs(cost, done)}
        yield line | ({"tables_before": before, "tables": tables(system), "rss_mb": rss(system)} if system else {})
    if holder:
        holder.close()
    yield {"mode": "read back", **later.read_back(bench.client, bench.url)}


def idle(bench):
    """Statements of our services while nothing is asked of them, as PostgreSQL's log shows them (autovacuum is not ours), and their CPU."""
    s, statement = bench.system, re.compile(r"\b(tasker-\w+)\b.* LOG:  (execute|statement)")
    seconds = min(60, bench.args.seconds)
    s.sql("ALTER SYSTEM SET log_statement = 'all'")
    s.sql("SELECT pg_reload_conf()")
    time.sleep(STATISTICS)
    log = os.path.join(s.dir, "logs", "postgres.log")
    start, before = os.path.getsize(log), Cost.look(s)["cpu"]
    time.sleep(seconds)
    after = Cost.look(s)["cpu"]
    with open(log, encoding="utf-8", errors="replace") as f:
        f.seek(start)
        found = [m[1] for m in map(statement.search, f) if m]
    s.sql("ALTER SYSTEM RESET log_statement")
    s.sql("SELECT pg_reload_conf()")
    cpu = {name: round(sum(after[name].values()) - sum(before[name].get(p, 0) for p in after[name]), 3) for name in after}
    ours = sum(value for name, value in cpu.items() if name != "postgres")
    yield {"mode": "idle", "seconds": seconds, "queries_per_second": round(len(found) / seconds, 3), "cpu_percent": round(100 * ours / seconds, 3), "cpu_seconds": cpu,
           "by_connection": {name: found.count(name) for name in sorted(set(found))}, "rss_mb": rss(s)}


def micro(bench):
    yield from sqlbench.processes(os.path.join(BIN, "tasker-micro"))
    if bench.system:
        yield from sqlbench.cache_levels(bench.system, os.path.join(BIN, "tasker-micro"))
        yield from sqlbench.functions(bench.system)


def fresh(bench):
    """What a system costs before anything was asked of it."""
    s, ready = bench.system, {}
    for kind in ("orchestrator", "worker", "cache"):
        with open(s.process(kind)["log"], encoding="utf-8") as f:
            ready[kind] = next(json.loads(line)["after_ms"] for line in f if '"service.ready"' in line)
    yield {"mode": "startup", **ready}
    yield {"mode": "memory", "when": "fresh", **rss(s)}
    for clients in (1, 16):
        yield {"mode": "floor", **floor(s, clients)}


def closing(bench):
    """Nothing was lost: the counters of the database agree, the sweeper had nothing to mend."""
    s = bench.system
    s.doctor()
    yield {"mode": "memory", "when": "after", **rss(s)}
    hot = s.sql("SELECT relname, n_tup_hot_upd::float8 / greatest(n_tup_upd, 1) AS ratio FROM pg_stat_user_tables "
                "WHERE schemaname = 'tasker' AND relname IN ('tasks', 'workflow_steps') ORDER BY 1")
    yield {"mode": "closing", "sweeper_repairs": s.metric(s.rest, "tasker_orchestrator_sweeper_repairs_total"),
           "heap_only_updates": {r.relname: round(r.ratio, 3) for r in hot}}


MODES = {"latency": latency, "throughput": throughput, "load": load, "ramp": ramp, "idle": idle, "micro": micro, "growth": growth, "old": old, "lists": lists, "fair": fair, "soak": soak}
ALL = ("idle", "latency", "throughput", "load", "ramp", "micro")
AGAINST = ("latency", "throughput", "ramp", "soak")  # graphs that the examples bring; the others need templates and handlers of our own
