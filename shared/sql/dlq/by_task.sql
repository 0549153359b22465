-- The newest entry of a task.
-- in:  $1 uuid task
-- out: body json (0..1 rows)
SELECT tasker._dead_letter_json(d) AS body FROM tasker.dead_letters d WHERE d.task_uuid = $1 ORDER BY d.created_at DESC, d.dlq_entry_uuid DESC LIMIT 1;
