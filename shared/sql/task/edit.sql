-- The input of a task that is to get another one; its row is locked, so that it stays as it was read.
-- in:  $1 uuid task
-- out: context text, template_digest text (0 or 1 row)
SELECT context::text AS context, template_digest FROM tasker.tasks WHERE task_uuid = $1 FOR NO KEY UPDATE;
