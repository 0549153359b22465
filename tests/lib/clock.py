# SPDX-License-Identifier: MIT
"""A test's own hand on the clock of a running system: tests never wait for minutes to pass."""

SOON = {"TASKER_TIMERS_POLL": "100ms"}  # what a system needs to see at once what is said here of its timers


def comes(system, tasks, moment="now"):
    """What these tasks wait for, their run_at or their deadline, is then."""
    with system.conn() as c:
        c.script("BEGIN")
        c.query("UPDATE tasker.tasks SET run_at = run_at + ($2 - run_at), deadline = deadline + ($2 - deadline) WHERE task_uuid = ANY ($1)", tasks, moment)
        c.query("UPDATE tasker.open_tasks SET due_at = $2 WHERE task_uuid = ANY ($1)", tasks, moment)
        c.script("COMMIT")


def give_up_now(system, task):
    """What of the task lies in a queue has lain there for too long."""
    return system.sql("UPDATE tasker.queue_timers SET due_at = clock_timestamp() WHERE task_uuid = $1 RETURNING 1", task)


def age(system, task, minutes):
    """Everything of the task happened so much earlier."""
    ago = f"interval '{minutes} minutes'"
    system.sql(f"UPDATE tasker.tasks SET created_at = created_at - {ago}, updated_at = updated_at - {ago} WHERE task_uuid = $1", task)
    system.sql(f"UPDATE tasker.open_tasks SET created_at = created_at - {ago} WHERE task_uuid = $1", task)
    system.sql(f"UPDATE tasker.workflow_steps SET updated_at = updated_at - {ago}, dispatched_at = dispatched_at - {ago} WHERE task_uuid = $1", task)
