# SPDX-License-Identifier: MIT
"""A test's own hand on the clock of a running system: tests never wait for minutes to pass."""


def age(system, task, minutes):
    """Everything of the task happened so much earlier."""
    ago = f"interval '{minutes} minutes'"
    system.sql(f"UPDATE tasker.tasks SET created_at = created_at - {ago}, updated_at = updated_at - {ago} WHERE task_uuid = $1", task)
    system.sql(f"UPDATE tasker.open_tasks SET created_at = created_at - {ago} WHERE task_uuid = $1", task)
    system.sql(f"UPDATE tasker.workflow_steps SET updated_at = updated_at - {ago}, dispatched_at = dispatched_at - {ago} WHERE task_uuid = $1", task)
