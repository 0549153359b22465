# SPDX-License-Identifier: MIT
"""Two results side by side. A figure has got worse when it is worse by more than NOISE and, where both sides have intervals, these do not overlap."""

NOISE = 0.10  # of a shared machine
# How a figure is called, where it is found in the lines, and whether more is better.
FIGURES = (
    ("latency", "graph", "database_ms", "p50", False), ("latency", "graph", "database_ms", "p99", False),
    ("latency", "graph", "wait_ms", "p50", False), ("latency", "graph", "submit_ms", "p50", False),
    ("throughput", "clients", "steps_per_second", None, True), ("throughput", "clients", "commits_per_step", None, False),
    ("load", "shape", "last_completion_s", None, False), ("idle", None, "queries_per_second", None, False),
    ("memory", "when", "orchestrator", None, False), ("micro", "name", "ns", None, False), ("sql", "name", "us", None, False),
)


def index(lines):
    out = {}
    for line in lines:
        for mode, key, figure, part, more in FIGURES:
            value = line.get(figure)
            value = value.get(part) if part and isinstance(value, dict) else value
            if line.get("mode") != mode or value is None or isinstance(value, dict):
                continue
            name = " ".join(str(w) for w in (mode, line.get("variant"), line.get(key) if key else None, figure, part) if w is not None)
            interval = (line[figure].get("interval") or {}).get(part) if part else None
            out.setdefault(name, []).append((value, interval, more))
    return out


def median(pairs):
    values = sorted(value for value, _, _ in pairs)
    return values[len(values) // 2]


def compare(old, new):
    """[(name, before, after, ratio, verdict)] of what both have; several runs of one figure count with their median."""
    old, new, out = index(old), index(new), []
    for name in old.keys() & new.keys():
        before, after, more = median(old[name]), median(new[name]), old[name][0][2]
        ratio = after / before if before else (1.0 if not after else float("inf"))
        a, b = old[name][0][1], new[name][0][1]
        apart = not (a and b) or a[1] < b[0] or b[1] < a[0]
        worse = ratio < 1 - NOISE if more else ratio > 1 + NOISE
        better = ratio > 1 + NOISE if more else ratio < 1 - NOISE
        out.append((name, before, after, ratio, "worse" if worse and apart else "better" if better and apart else ""))
    return sorted(out)


def show(rows):
    print(f"\n{'figure':58} {'before':>10} {'now':>10} {'ratio':>7}")
    for name, before, after, ratio, verdict in rows:
        print(f"{name:58} {before:10.3f} {after:10.3f} {ratio:7.2f}  {verdict}")
    worse = [r for r in rows if r[4] == "worse"]
    print(f"{len(worse)} worse, {sum(r[4] == 'better' for r in rows)} better, of {len(rows)}")
    return bool(worse)
