-- Every contradiction between counters and graph; none when healthy. NULL checks all tasks.
-- in:  $1 uuid task
-- out: problem text, task_uuid uuid, step_uuid uuid, detail text (0..n rows)
SELECT problem, task_uuid, step_uuid, detail FROM tasker.check_consistency($1) ORDER BY problem, task_uuid, step_uuid;
