-- Those of the tasks that are there; the caller knows which states are at rest.
-- in:  $1 uuid[] tasks
-- out: task_uuid uuid, state text (0..n rows)
SELECT task_uuid, state::text AS state FROM tasker.tasks WHERE task_uuid = ANY ($1);
