# SPDX-License-Identifier: MIT
"""The model by itself: what handlers answer, and a task that runs in an order that chance decides."""
import random

from rules import IN_PROGRESS, WAITING, Outcome, Task


class Script:
    """What every handler answers, per step and attempt: {step: [entry per attempt, the last one for all later]}; see generate.py."""

    def __init__(self, said):
        self.said = said

    def entry(self, name, attempt):
        entries = self.said.get(name) or [{}]
        return entries[min(attempt, len(entries)) - 1]

    def outcome(self, name, attempt):
        entry = self.entry(name, attempt)
        how = entry.get("how", "ok")
        return Outcome(how == "ok", how in ("retryable", "hang"), entry.get("delay_ms", -1) if how == "retryable" else -1, entry.get("says"), entry.get("sub"))


def foretell(template, said, rnd=random, task=None):
    """The model runs a task (a new one, or on from there) alone, in an order that chance decides, until it rests."""
    task, script = task or Task(template), Script(said)
    task.follow()
    while True:
        for step in task.ready():
            task.dispatch(step.name, True)
        task.follow()
        running, waiting = task.in_state(IN_PROGRESS), task.pausing()
        if not running and not waiting:
            return task
        step = rnd.choice(running + waiting)
        if step.state == WAITING:
            task.fire(step.name, True, step.due_us)
        elif task.settle(step.name, step.attempts, script.outcome(step.name, step.attempts)) != WAITING:
            task.make_room([step.name])
