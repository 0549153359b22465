-- tasker.step_responses(task, step): the StepResponse documents of a task in order of creation, or of one step (NULL: all).
-- Beyond the contract: step_no, instance, inputs and checkpoint (of a batch), dependencies (names), dispatched_at, execution_time_ms, worker_id.
-- Reads: workflow_steps, workflow_step_edges, step_results (the newest attempt of this generation that has one). Locks: none.
CREATE OR REPLACE FUNCTION tasker.step_responses(p_task uuid, p_step uuid) RETURNS SETOF json
LANGUAGE sql STABLE AS $$
  SELECT json_build_object(
           'step_uuid', s.workflow_step_uuid, 'task_uuid', s.task_uuid, 'name', s.name,
           'created_at', tasker.time_text(s.created_at, 'zoned'),
           'updated_at', tasker.time_text(coalesce(s.updated_at, s.created_at), 'zoned'),
           'completed_at', tasker.time_text(CASE WHEN s.state IN ('complete', 'cancelled', 'resolved_manually') THEN s.settled_at END, 'zoned'),
           'results', res.result,
           'current_state', s.state,
           'dependencies_satisfied', r.dependencies_satisfied, 'retry_eligible', r.retry_eligible,
           'ready_for_execution', r.ready_for_execution,
           'total_parents', r.total_parents, 'completed_parents', r.completed_parents,
           'attempts', r.attempts, 'max_attempts', r.max_attempts,
           'last_failure_at', tasker.time_text(r.last_failure_at, 'zoned'),
           'next_retry_at', tasker.time_text(r.next_retry_at, 'zoned'),
           'last_attempted_at', tasker.time_text(r.last_attempted_at, 'zoned'),
           'step_no', s.step_no, 'instance', s.instance, 'inputs', s.inputs, 'checkpoint', s.checkpoint,
           'dependencies', (SELECT coalesce(json_agg(p.name ORDER BY p.step_no, p.instance), '[]'::json)
                              FROM tasker.workflow_step_edges e
                              JOIN tasker.workflow_steps p ON p.workflow_step_uuid = e.from_step_uuid
                             WHERE e.to_step_uuid = s.workflow_step_uuid),
           'dispatched_at', tasker.time_text(s.dispatched_at, 'zoned'),
           'execution_time_ms', res.execution_time_ms, 'worker_id', res.worker_id)
    FROM tasker.get_step_readiness_status(p_task) r
    JOIN tasker.workflow_steps s ON s.workflow_step_uuid = r.workflow_step_uuid
    LEFT JOIN LATERAL (SELECT sr.result, sr.execution_time_ms, sr.worker_id
                         FROM tasker.step_results sr
                        WHERE sr.workflow_step_uuid = s.workflow_step_uuid AND sr.task_uuid = p_task AND sr.attempt > s.results_after
                        ORDER BY sr.attempt DESC LIMIT 1) res ON true
   WHERE p_step IS NULL OR s.workflow_step_uuid = p_step
   ORDER BY s.created_at, s.step_no, s.instance
$$;
