-- in:  $1 uuid step
-- out: task_uuid uuid (0 or 1 row)
SELECT task_uuid FROM tasker.workflow_steps WHERE workflow_step_uuid = $1;
