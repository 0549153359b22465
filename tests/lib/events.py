# SPDX-License-Identifier: MIT
"""The document of a domain event: what its objects have, whoever published it."""
KEYS = {
    "": "event_id event_name event_version metadata payload", "payload": "execution_result payload task_sequence_step",
    "metadata": "attempt condition correlation_id fired_at fired_by namespace parent_correlation_id step_name step_uuid task_uuid worker_id",
    "task_sequence_step": "dependency_results step_definition task workflow_step", "task": "namespace_name task task_name task_version",
    "task.task": "complete context correlation_id initiator named_task_uuid parent_correlation_id priority reason requested_at source_system task_uuid",
    "workflow_step": "attempts checkpoint in_process inputs max_attempts name processed processed_at results retryable task_uuid template_step_name workflow_step_uuid"}


def keys(event):
    """{place: names}, of those places whose members are not somebody else's."""
    step = event["payload"]["task_sequence_step"]
    places = {"": event, "payload": event["payload"], "metadata": event["metadata"], "task_sequence_step": step, "task": step["task"], "task.task": step["task"]["task"],
              "workflow_step": step["workflow_step"]}
    return {place: " ".join(sorted(found)) for place, found in places.items()}
