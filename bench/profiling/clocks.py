# SPDX-License-Identifier: MIT
"""What the services' own clocks and meters say of the time between two looks at /v1/debug/runtime."""


def differences(before, after):
    """What the process's own histograms say of the time between."""
    old = {(t["what"], t["name"]): t for t in before["times"]}
    rows = []
    for t in after["times"]:
        b = old.get((t["what"], t["name"]), {"count": 0, "sum": 0.0})
        n, total = t["count"] - b["count"], t["sum"] - b["sum"]
        if n:
            rows.append((t["what"], t["name"], n, total, t))
    rows.sort(key=lambda r: (r[0], -r[3]))
    lines = [f"{'what':24} {'name':24} {'n':>9} {'total s':>9} {'mean µs':>9}   since the start: {'p50 µs':>9} {'p95 µs':>9} {'p99 µs':>9} {'max µs':>10}"]
    lines += [f"{what:24} {name:24} {n:9,} {total:9.3f} {total / n * 1e6:9.1f}                    {t['p50'] * 1e6:9.1f} {t['p95'] * 1e6:9.1f} {t['p99'] * 1e6:9.1f} {t['max'] * 1e6:10.0f}"
              for what, name, n, total, t in rows]
    return "\n".join(lines) + "\n"


def actors(before, after, seconds):
    """How busy each actor was, and how full its mailbox."""
    old = {a["actor"]: a for a in before["actors"]}
    lines = [f"{'actor':12} {'threads':>7} {'busy':>7} {'messages':>9} {'per batch':>9} {'largest':>8}   {'capacity':>8} {'high water':>10} {'refused':>8} {'mean wait µs':>12}"]
    for a in after["actors"]:
        b = old.get(a["actor"], {})

        def grown(key, a=a, b=b):
            return a[key] - b.get(key, 0)
        messages, batches = grown("actor_messages_total"), grown("actor_batches_total")
        lines.append(f"{a['actor']:12} {a['actor_threads']:7.0f} {100 * grown('actor_busy_seconds_total') / seconds / max(1, a['actor_threads']):6.1f}% {messages:9,.0f} "
                     f"{messages / batches if batches else 0:9.1f} {a['actor_batch_max']:8.0f}   {a['mailbox_capacity']:8.0f} {a['mailbox_high_water']:10.0f} "
                     f"{grown('mailbox_full_total'):8.0f} {grown('mailbox_wait_seconds_total') / messages * 1e6 if messages else 0:12.1f}")
    return "\n".join(lines) + "\n"
