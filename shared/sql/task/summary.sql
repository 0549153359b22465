-- The summary of a task.
-- in:  $1 uuid task
-- out: body json (0 or 1 row)
SELECT body FROM tasker.task_summary($1) body WHERE body IS NOT NULL;
