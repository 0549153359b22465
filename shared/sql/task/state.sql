-- in:  $1 uuid task
-- out: state text (0 or 1 row)
SELECT state::text AS state FROM tasker.tasks WHERE task_uuid = $1;
