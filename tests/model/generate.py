# SPDX-License-Identifier: MIT
"""Random templates, and for each task a random script of what its handlers do. Everything follows from the seed.

The script travels in the task's context and the handler test.model (tests/lib/handlers/model.c) acts it out:
    {"at": 0, "scripts": [{step name: [entry of attempt 1, …, entry of this and every later attempt]}, those of tasks that it starts]}
    entry: {"how": "ok" (default) | "retryable" | "permanent" | "hang" | "nonsense", "ms": how long, "delay_ms": its own pause,
            "says": the outcome of a decision or analyzer, "checkpoints": how often it yields before,
            "sub": {"name": …, "script": …, "wait_blocked": …}: a task that it starts instead and waits for}
"""
import random

import growth
from template import BATCH_WORKER, BATCHABLE, CONVERGENCE, DECISION, SOURCES, STANDARD, Step, Template

STRATEGIES = ("continue_on_failure", "continue_on_failure", "fail_fast", "isolate")
BACKOFFS = ("none", "linear", "exponential", "fibonacci")
DECISIONS = ("reset_for_retry", "resolve_manually", "complete_manually", "skip")
CONDITIONS = ("success", "failure", "retryable_failure", "permanent_failure", "always")
STEPS_MAX, GROWN_MAX, BATCHES_MAX = 10, 14, 6
SUB_STEPS_MAX, SUB_DEPTH_MAX = 4, 3


def template(rnd, name):
    steps = _growing(rnd) if rnd.random() < 0.45 else _plain(rnd)
    return Template(name, steps, 1 if rnd.random() < 0.06 else 0, rnd.choice(("error", "cancel")))


def _retry(rnd, step):
    step.max_attempts = rnd.choice((0, 1, 2, 3, 3, 4))
    step.retryable = rnd.random() > 0.08
    step.backoff = rnd.choice(BACKOFFS)
    step.base_ms = rnd.randint(0, 12)
    step.cap_ms = rnd.randint(step.base_ms, 40)
    step.timeout_s = 1 if rnd.random() < 0.04 else 0
    step.on_timeout = rnd.choice(("retry", "error", "cancel")) if step.timeout_s else "retry"
    step.queue_timeout = rnd.choice((1, 1, 3, 10)) if rnd.random() < 0.08 else 0
    step.on_queue_timeout = rnd.choice(("error", "retry", "cancel")) if step.queue_timeout else "error"
    step.events = rnd.sample(CONDITIONS, rnd.randint(1, 3)) if rnd.random() < 0.12 else []
    return step


def _parents(rnd, n, most):
    near = range(max(0, n - 5), n)
    return sorted(rnd.sample(near, min(len(near), rnd.randint(1, most))))


def _plain(rnd):
    return [_retry(rnd, Step(f"s{no}", parents=_parents(rnd, no, 3) if no and rnd.random() < 0.85 else [])) for no in range(rnd.randint(1, STEPS_MAX))]


def _growing(rnd):
    steps = [_retry(rnd, Step("s0"))]
    for no in range(1, rnd.randint(4, GROWN_MAX)):
        kind, = rnd.choices((STANDARD, DECISION, BATCHABLE, BATCH_WORKER, CONVERGENCE), (45, 22, 7, 16, 20))
        parents = _parents(rnd, no, 3)
        analyzers = [at for at, s in enumerate(steps) if s.kind == BATCHABLE]
        if kind == BATCH_WORKER:
            if not analyzers:
                kind = STANDARD
            elif rnd.random() < 0.8:
                parents = [rnd.choice(analyzers)]
            else:
                parents = sorted({rnd.choice(analyzers), *parents})
        elif kind == CONVERGENCE:
            parents = _parents(rnd, no, 5)
        elif kind == DECISION:
            parents = _parents(rnd, no, rnd.choice((1, 1, 2)))
        prefix = {STANDARD: "s", DECISION: "d", BATCHABLE: "a", BATCH_WORKER: "w", CONVERGENCE: "c"}[kind]
        batch = {"parallelism": rnd.randint(1, 4), "strategy": rnd.choice(STRATEGIES)}
        steps.append(_retry(rnd, Step(f"{prefix}{no}", kind, parents, **(batch if kind == BATCH_WORKER else {}))))
    return steps


def script(rnd, t, pool=(), depth=0):
    """A task's script: most tasks go well, some have trouble, some have much of it. Some start tasks of the pool."""
    trouble = rnd.choice((0, 0, 0.15, 0.3))
    fatal = rnd.choice((0, 0, 0.04, 0.12))
    said = {}
    for no, step in enumerate(t.steps):
        says = outcomes(rnd, t, no)
        names = [f"{step.name}_{i:03}" for i in range(BATCHES_MAX + 1)] if step.kind == BATCH_WORKER else [step.name]
        for name in names:
            entries = _entries(rnd, step, says, trouble, fatal)
            if says and rnd.random() < 0.3:
                entries.append({"says": outcomes(rnd, t, no)})  # when it runs again
            if entries != [{}]:
                said[name] = entries
    if pool and depth < SUB_DEPTH_MAX and rnd.random() < (0.3 if depth else 0.07):
        for step in rnd.sample(t.steps, min(len(t.steps), rnd.randint(1, 2))):
            name = step.name + "_001" if step.kind == BATCH_WORKER else step.name
            if step.kind not in SOURCES or rnd.random() < 0.1:
                said.setdefault(name, [{}])[rnd.randrange(len(said[name]))] = {"sub": _sub(rnd, pool, depth + 1)}
    return said


def _sub(rnd, pool, depth):
    t = rnd.choice([t for t in pool if len(t.steps) <= SUB_STEPS_MAX])
    if rnd.random() < 0.25:  # stands still until somebody mends it or does not want it any more
        return {"name": t.name, "script": {**script(rnd, t), "s0": [{"how": "permanent"}]}, "wait_blocked": True}
    return {"name": t.name if rnd.random() > 0.03 else "nobody", "script": script(rnd, t, pool, depth), "wait_blocked": rnd.random() < 0.3}


def outcomes(rnd, t, no):
    """What a decision or an analyzer says; None of others."""
    return {DECISION: _decision, BATCHABLE: _batches}.get(t.kind(no), lambda *_: None)(rnd, t, no)


def _entries(rnd, step, says, trouble, fatal):
    entries = []
    while rnd.random() < trouble and len(entries) < step.max_attempts - (rnd.random() > fatal) and len(entries) < 6:
        how = "hang" if step.timeout_s and rnd.random() < 0.3 else "retryable"
        entries.append({"how": how, **({"delay_ms": rnd.randint(0, 20)} if how == "retryable" and rnd.random() < 0.3 else {})})
    if rnd.random() < fatal / 2:
        entries.append({"how": rnd.choice(("permanent", "permanent", "nonsense"))})
        if rnd.random() < 0.3:
            return entries
    last = {"says": says} if says else {}
    if rnd.random() < 0.05:
        last["checkpoints"] = rnd.randint(1, 3)
    entries.append(last)
    for entry in entries:
        if rnd.random() < (0.4 if fatal else 0.15):  # what fails does so while others are at work
            entry["ms"] = rnd.choice((1, 2, 5, 15))
    return entries


def _decision(rnd, t, no):
    may = sorted(growth.segment(t, no))
    if rnd.random() < 0.03:
        return rnd.choice(({"type": "create_steps", "step_names": ["nobody"]}, {"type": "create_steps", "step_names": []}, {"type": "whatever"}))
    if not may or rnd.random() < 0.2:
        return {"type": "no_branches"}
    return {"type": "create_steps", "step_names": [t.steps[m].name for m in rnd.sample(may, rnd.randint(1, min(3, len(may))))]}


def _batches(rnd, t, no):
    workers = [t.steps[c].name for c in t.children[no] if t.kind(c) == BATCH_WORKER]
    name = {"worker_template_name": rnd.choice(workers)} if len(workers) > 1 or (workers and rnd.random() < 0.5) else {}
    if not workers or rnd.random() < 0.2:
        return {"type": "no_batches", **name}
    ids = [f"{i:03}" for i in range(1, rnd.randint(1, BATCHES_MAX) + 1)]
    return {"type": "create_batches", **name, "cursor_configs": [{"batch_id": b, "start_cursor": int(b), "end_cursor": int(b) + 1} for b in ids]}


def request(rnd):
    """When the task is to start and to be complete: {"run_at_ms", "deadline_ms": from now, "timeout_s", "on_timeout"}; most do not say."""
    said = {"run_at_ms": rnd.choice((5, 30, 100, 250))} if rnd.random() < 0.1 else {}
    if rnd.random() < 0.12:
        said["deadline_ms"] = said.get("run_at_ms", 0) + rnd.choice((20, 60, 150, 400))
    elif rnd.random() < 0.03:
        said["timeout_s"] = 1
    if rnd.random() < 0.3 and ("deadline_ms" in said or "timeout_s" in said):
        said["on_timeout"] = rnd.choice(("error", "cancel"))
    return said


def people(rnd, later=False, starts=False):
    """What somebody does meanwhile: [{"do": …, "ms": later than the one before, "step": which one, of those there are}]; and for
    each failed step that the task then rests with, round after round, what is done about it; at last, which steps run again.
    later: it has a run_at; starts: its steps may start tasks, which are cancelled too (cancel_below)."""
    kinds = {"nothing": 70, "cancel": 30 if starts else 8, "pause": 8, "decide": 50 if starts else 14, "start": 40 if later else 0, "cancel_below": 30 if starts else 0}
    kind, = rnd.choices(list(kinds), list(kinds.values()))
    ms = rnd.choice((5, 20, 50, 90) if starts else (0, 1, 3, 10, 30))
    meanwhile = {"nothing": [], "pause": [{"do": "pause", "ms": ms}, {"do": "resume", "ms": rnd.choice((0, 5, 30))}],
                 "decide": [{"do": rnd.choice(DECISIONS), "ms": ms if starts else rnd.choice((0, 2, 8)), "step": rnd.randrange(1000)} for _ in range(rnd.randint(1, 3))]}
    return {"meanwhile": meanwhile.get(kind, [{"do": kind, "ms": ms}]), "revive": [rnd.choice(DECISIONS) for _ in range(rnd.choice((0, 0, 1, 3)))],
            "rerun": [rnd.randrange(1000) for _ in range(rnd.choice((0,) * 6 + (1, 2)))]}


def pool(seed, n):
    """n templates of a seed."""
    return [template(random.Random(f"{seed}/template/{i}"), f"t{i}") for i in range(n)]
