# SPDX-License-Identifier: MIT
"""What an orchestrator calls for sub-tasks, for tests: on top of engine.Engine."""
import hashlib

from engine import LEASE_MS, PROCESSOR, new_uuid

START = "SELECT * FROM tasker.start_sub_task($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26)"


def start(e, a, template, wait_blocked=False, depth_max=8, count_max=100, credit=10, conn=None, priority=None, digest=None, child=None):
    """The step of assignment `a` hands in that it wants a task of this template."""
    identity = hashlib.sha256(f"{a.step_uuid} {a.attempt}".encode()).digest()
    return (conn or e.c).query(
        START, a.step_uuid, a.task_uuid, a.attempt, a.msg_id, "worker-1", 7, [1, 2, 3, 4, 5], wait_blocked, depth_max, count_max, child or new_uuid(),
        digest or template.digest, identity, '{"n": 1}', priority, new_uuid(), None, "sub_task", "a step waits for it", "[]", "2026-01-02T03:04:05Z",
        [new_uuid() for _ in template.graph], ["shop"], [credit], LEASE_MS, PROCESSOR)


def look(e, limit=100, bytes_max=262144, conn=None):
    """One look at what is due."""
    return (conn or e.c).query("SELECT * FROM tasker.settle_sub_tasks($1, $2, $3, $4, $5, $6)", limit, bytes_max, ["shop"], [100], LEASE_MS, PROCESSOR)


def look_at_all(e):
    """Until nothing is due any more."""
    rows = []
    while True:
        page = look(e)
        rows += page
        if not any(r.kind == "sub_task" for r in page):
            return rows
