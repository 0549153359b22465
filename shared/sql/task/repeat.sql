-- The task as the REST contract shows it, if it has this context.
-- in:  $1 uuid task, $2 text context
-- out: body text (0 or 1 row)
SELECT r.body FROM tasker.task_responses(ARRAY[$1], true) r JOIN tasker.tasks t ON t.task_uuid = $1 WHERE t.context = $2::jsonb;
