-- Every result a worker handed in for a step, newest first, in the words of the contract: a result's arrival is the
-- transition into one of the two notification states, which here begin and end inside the settling transaction.
-- in:  $1 uuid step
-- out: body json (1 row)
SELECT coalesce(json_agg(json_build_object(
         'audit_uuid', md5(sr.workflow_step_uuid::text || '/audit/' || sr.attempt)::uuid,
         'workflow_step_uuid', sr.workflow_step_uuid,
         'transition_uuid', md5(sr.workflow_step_uuid::text || '/transition/' || sr.attempt)::uuid,
         'task_uuid', sr.task_uuid,
         'recorded_at', tasker.time_text(sr.recorded_at, 'zoned'),
         'worker_uuid', sr.worker_id, 'correlation_id', t.correlation_id,
         'success', sr.success, 'execution_time_ms', sr.execution_time_ms,
         'result', json_build_object('type', CASE WHEN sr.success THEN 'EnqueueForOrchestration' ELSE 'EnqueueAsErrorForOrchestration' END,
                                     'data', sr.result),
         'step_name', s.name, 'from_state', 'in_progress',
         'to_state', CASE WHEN sr.success THEN 'enqueued_for_orchestration' ELSE 'enqueued_as_error_for_orchestration' END,
         'attempt', sr.attempt) ORDER BY sr.attempt DESC), '[]'::json) AS body
  FROM (SELECT x.workflow_step_uuid, x.task_uuid, x.name FROM tasker.workflow_steps x WHERE x.workflow_step_uuid = $1
        UNION ALL SELECT d.workflow_step_uuid, d.task_uuid, d.name FROM tasker.superseded_steps d WHERE d.workflow_step_uuid = $1) s -- a rerun dropped it
  JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
  JOIN tasker.step_results sr ON sr.task_uuid = s.task_uuid AND sr.workflow_step_uuid = s.workflow_step_uuid;
