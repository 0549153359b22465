-- in:  $1 uuid step
-- out: task_uuid uuid (0 or 1 row)
SELECT s.task_uuid FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = $1
UNION ALL SELECT d.task_uuid FROM tasker.superseded_steps d WHERE d.workflow_step_uuid = $1;
