-- The sub-tasks of a task, and theirs.
-- in:  $1 uuid task, $2 int4 limit
-- out: body json (0 or 1 row)
SELECT body FROM tasker.sub_task_tree($1, $2) body WHERE body IS NOT NULL;
