# SPDX-License-Identifier: MIT
"""For people: tables on the terminal, SVG plots in a folder."""
import os
import statistics

from plot import distribution, lines as plot_lines


def of(lines, mode):
    return [line for line in lines if line.get("mode") == mode]


def heading(text):
    print(f"\n{text}\n{'─' * len(text)}")


def floor_of(lines, clients=1, figure="p50", variant=None):
    """What was measured last, or in the runs of that variant, in the middle."""
    found = [line for line in of(lines, "floor") if line["clients"] == clients]
    found = [line[figure] for line in found if variant and line.get("variant") == variant] or [line[figure] for line in found[-1:]]
    return statistics.median(found) if found else None


def costs(line):
    if "cpu_us_per_step" not in line:
        return
    print(f"    {line['commits_per_step']} commits, {line['statements_per_step']} statements, {line['rows_per_step']} rows, {line['wal_bytes_per_step']} B of WAL, "
          f"{line['stream_frames_per_step']} frames and {line['stream_bytes_per_step']:.0f} B on streams per step; {line['connections']} connections; peak MB {line['peak_rss_mb']}")
    most = max(line["cpu_us_per_step"].values())
    for name, us in sorted(line["cpu_us_per_step"].items(), key=lambda kv: -kv[1]):
        print(f"    {name:13} {us:7.1f} µs CPU per step (s per 1,000 steps: {us / 1000:.3f})  {'█' * round(24 * us / most):24} {line['context_switches_per_step'].get(name, 0):5.1f} switches")


def show_latency(lines):
    heading("Latency, one task at a time (ms)")
    print(f"{'':22}{'database clock':^31}  {'client, wait':^22}  {'client, 2 ms polls':^20}")
    print(f"{'graph':22} {'p50':>6} {'p95':>6} {'p99':>6} {'95/50':>6}   {'p50':>6} {'p95':>6} {'p99':>6}   {'p50':>6} {'p99':>6}  {'submit':>6}  of 5 commits; submit of one")
    for line in of(lines, "latency"):
        one = floor_of(lines, variant=line["variant"])
        d, w, p, s = (line.get(k) or {} for k in ("database_ms", "wait_ms", "poll_ms", "submit_ms"))
        name = line["graph"] + ("" if line["variant"] == "1x1" else f", {line['variant']}")

        def f(q, k):
            return f"{q[k]:6.2f}" if k in q else "     –"
        ratio = f"{d['p50'] / (5 * one):5.2f} × {s['p50'] / one:9.2f} ×" if one and "p50" in d else ""
        print(f"{name:22} {f(d, 'p50')} {f(d, 'p95')} {f(d, 'p99')} {f(d, 'p95_over_p50')}   {f(w, 'p50')} {f(w, 'p95')} {f(w, 'p99')}   {f(p, 'p50')} {f(p, 'p99')}  {f(s, 'p50')}  {ratio}")


def show_throughput(lines):
    heading("Throughput, closed loop (against the floor: steps to single-row commits of 16 clients)")
    most = floor_of(lines, 16, "per_second")
    for line in of(lines, "throughput"):
        print(f"{line['variant']:8} {line['clients']:4} clients  {line['steps_per_second']:7,} steps/s  {line['tasks_per_second']:6,} tasks/s  task p50 {line['task_ms'].get('p50', 0):8.2f} "
              f"p99 {line['task_ms'].get('p99', 0):8.2f} ms  refused {line['refused']}  client {line['client_percent_of_a_core']} % of a core"
              + (f"  {line['steps_per_second'] / most:.2f} × the floor" if most else ""))
        costs(line)


def show_load(lines):
    heading("Load: many tasks of 100 steps at once")
    for line in of(lines, "load"):
        print(f"{line['shape']:9} {line['tasks']:6} tasks  created after {line['created_after_s']:6.2f} s  last complete after {line['last_completion_s']:6.2f} s  "
              f"{line['steps_per_second']:7,} steps/s  refused {line['refused']}")
        costs(line)


def show_rows(title, rows, columns):
    heading(title)
    for line in rows:
        print("  ".join(f"{name} {line[name]}" for name in columns if name in line))


def show(lines):
    floors = of(lines, "floor")
    if floors:
        heading("The floor: pgbench, one row per transaction")
        for line in floors:
            print(f"{line['clients']:3} clients  p50 {line['p50']} ms  p95 {line['p95']} ms  {line['per_second']:,}/s")
    for mode, title, columns in (("startup", "Ready after (ms)", ("orchestrator", "worker", "cache")), ("memory", "Resident memory (MB)", ("when", "orchestrator", "worker", "cache")),
                                 ("idle", "Idle", ("queries_per_second", "cpu_percent", "cpu_seconds", "by_connection"))):
        if of(lines, mode):
            show_rows(title, of(lines, mode), columns)
    for mode, function in (("latency", show_latency), ("throughput", show_throughput), ("load", show_load)):
        if of(lines, mode):
            function(lines)
    if of(lines, "ramp"):
        heading("Ramp, open loop")
        for line in of(lines, "ramp"):
            print(f"{line['tasks_per_second_asked']:6} tasks/s asked  {line['tasks_per_second']:8} done  p50 {line['task_ms']['p50']:8.2f}  p99 {line['task_ms']['p99']:8.2f} ms  refused {line['refused']}")
    if of(lines, "soak"):
        heading("Soak, a line per minute")
        for line in of(lines, "soak"):
            dead = sum(t["dead"] for t in line.get("tables", {}).values())
            print(f"{line['minute']:4} min  {line['steps_per_second']:7,} steps/s  p99 {line['task_ms']['p99']:8.2f} ms  {dead:9,} dead rows  {line.get('rss_mb', '')}"
                  + ("  a snapshot is held" if line["snapshot_held"] else ""))
    for line in of(lines, "read back"):
        print(f"{line['steps']:,} steps of {line['tasks']:,} tasks read back afterwards, every value as it should be")
    if of(lines, "growth"):
        heading("Growth")
        for line in of(lines, "growth"):
            print(f"{line['variant']:14} {line['ms_per_step']['p50']} ms per step")
    if of(lines, "old"):
        heading("A new task beside old ones (by the database's clock, ms)")
        for line in of(lines, "old"):
            if line["variant"] == "written":
                print(f"{line['tasks']:,} finished tasks, {line['tasks_with_history']:,} with history: {sum(line['rows'].values()):,} rows, {line['heap_bytes'] / 1e9:.1f} GB and "
                      f"{line['index_bytes'] / 1e9:.1f} GB of indexes, written in {line['written_in_s']} s")
                continue
            for side in ("empty", "full"):
                print(f"{side:6} p50 {line[side + '_ms']['p50']}  p95 {line[side + '_ms']['p95']}  p99 {line[side + '_ms']['p99']}")
            print("PostgreSQL's CPU per step: " + ", ".join(f"{side} {us} µs" for side, us in line["postgres_us_per_step"].items())
                  + "; WAL: " + ", ".join(f"{side} {n} B" for side, n in line["wal_bytes_per_step"].items()))
            print(f"full against empty, p50: {100 * (line['p50_ratio'] - 1):+.1f} % [{', '.join(f'{100 * (x - 1):+.1f}' for x in line['p50_ratio_interval'])}]")
    if of(lines, "lists"):
        heading("A page of 25 by cursor, asked by REST (ms)")
        for line in of(lines, "lists"):
            if line["variant"] == "written":
                print(f"{line['tasks']:,} tasks: {line['heap_bytes'] / 1e9:.1f} GB and {line['index_bytes'] / 1e9:.1f} GB of indexes, written in {line['written_in_s']} s")
                continue
            print(f"{line['variant']:48} p50 {line['ms']['p50']:7.2f}  p99 {line['ms']['p99']:7.2f}  first {line['first_ms']:7.2f}  {line['tasks']:2} tasks{', more' if line['more'] else ''}")
    if of(lines, "fair"):
        heading("Small tasks beside a large one (by the database's clock, ms)")
        for line in of(lines, "fair"):
            print(f"{line['variant']:20} p50 {line['database_ms']['p50']}  p99 {line['database_ms']['p99']}")
    if of(lines, "micro"):
        heading("Micro")
        for line in of(lines, "micro"):
            print(f"{line['name']:48} {line['ns']:12,.1f} ns" + (f"  {line['bytes']} B" if "bytes" in line else "") + (f"  p99 {line['ns_p99']:,} ns" if "ns_p99" in line else ""))
    if of(lines, "sql"):
        heading("SQL functions, one call each, round trip included")
        for line in of(lines, "sql"):
            print(f"{line['name']:48} {line['us']:10,.1f} µs   least {line['us_min']:,.1f}")


def plots(lines, folder):
    os.makedirs(folder, exist_ok=True)
    drawn = {}
    cdf = {line["graph"]: distribution(line["cdf"]) for line in of(lines, "latency") if line.get("cdf") and line["variant"] == "1x1"}
    if cdf:
        drawn["latency"] = plot_lines("Task latency, database clock", "ms", "% of tasks", cdf)
    by_clients = [line for line in of(lines, "throughput") if line["variant"] == "linear"]
    if len(by_clients) > 1:
        drawn["throughput"] = plot_lines("Throughput against clients", "clients (log)", "steps/s", {"linear": [(line["clients"], line["steps_per_second"]) for line in by_clients]}, log_x=True)
    if len(of(lines, "ramp")) > 1:
        drawn["ramp"] = plot_lines("Open loop: latency against rate", "tasks/s asked (log)", "ms",
                                   {q: [(line["tasks_per_second_asked"], line["task_ms"][q]) for line in of(lines, "ramp")] for q in ("p50", "p99")}, log_x=True)
    if len(of(lines, "soak")) > 1:
        drawn["soak"] = plot_lines("Soak: steps per second in each minute", "minute", "steps/s", {"linear, 64 clients": [(line["minute"], line["steps_per_second"]) for line in of(lines, "soak")]})
    for name, text in drawn.items():
        with open(os.path.join(folder, name + ".svg"), "w", encoding="utf-8") as f:
            f.write(text)
    return sorted(drawn)
