-- What became of a task, by whom and why.
-- in:  $1 uuid task
-- out: body json (0 or 1 row)
SELECT body FROM tasker.task_history($1) body WHERE body IS NOT NULL;
