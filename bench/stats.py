# SPDX-License-Identifier: MIT
"""Quantiles with bootstrap intervals, and paired comparison."""
import random
import statistics

ROUNDS = 400


def at(ordered, q):
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))]


def interval(values, q, rounds=ROUNDS):
    """Of a quantile: the middle 95 % of what resampling gives."""
    rng = random.Random(1)  # the same samples give the same interval
    found = sorted(at(sorted(rng.choices(values, k=len(values))), q) for _ in range(rounds))
    return [round(at(found, 0.025), 3), round(at(found, 0.975), 3)]


def quantiles(values, intervals=True):
    if not values:
        return {"n": 0}
    ordered = sorted(values)
    out = {f"p{round(q * 100)}": round(at(ordered, q), 3) for q in (0.5, 0.95, 0.99)}
    out |= {"max": round(ordered[-1], 3), "mean": round(statistics.fmean(ordered), 3), "n": len(ordered), "p95_over_p50": round(out["p95"] / max(out["p50"], 1e-9), 2)}
    if intervals and len(ordered) <= 5000:
        out["interval"] = {f"p{round(q * 100)}": interval(ordered, q) for q in (0.5, 0.95, 0.99)}
    return out
