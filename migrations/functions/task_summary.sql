-- tasker.task_summary(task): the TaskSummary document of the REST contract: the task, its template's steps, its steps with what went wrong last, and
-- links. Times of steps are as PostgreSQL writes them in JSON, without a zone. Nothing for an unknown task. Locks: none.
CREATE OR REPLACE FUNCTION tasker.task_summary(p_task uuid) RETURNS json
LANGUAGE sql STABLE AS $$
  SELECT json_build_object(
           'task', json_build_object(
             'task_uuid', b->'task_uuid', 'name', b->'name', 'namespace', b->'namespace', 'version', b->'version', 'status', b->'status',
             'created_at', b->'created_at', 'updated_at', b->'updated_at', 'completed_at', b->'completed_at',
             'initiator', coalesce(t.initiator, ''), 'source_system', coalesce(t.source_system, ''), 'reason', coalesce(t.reason, ''),
             'correlation_id', b->'correlation_id', 'total_steps', b->'total_steps', 'pending_steps', b->'pending_steps',
             'in_progress_steps', b->'in_progress_steps', 'completed_steps', b->'completed_steps', 'failed_steps', b->'failed_steps',
             'completion_percentage', b->'completion_percentage', 'health_status', b->'health_status', 'execution_status', b->'execution_status',
             'recommended_action', b->'recommended_action'),
           'template', json_build_object('steps', coalesce((
             SELECT json_agg(json_build_object(
                      'name', d.step->>'name', 'step_type', coalesce(d.step->>'type', 'standard'), 'handler', coalesce(d.step#>>'{handler,callable}', 'unknown'),
                      'dependencies', coalesce(d.step->'dependencies', '[]'), 'retryable', coalesce((d.step#>>'{retry,retryable}')::boolean, true),
                      'max_attempts', coalesce((d.step#>>'{retry,max_attempts}')::int, 3)) ORDER BY d.n)
               FROM tasker.templates tpl, jsonb_array_elements(tpl.body->'steps') WITH ORDINALITY d(step, n)
              WHERE tpl.digest = t.template_digest), '[]'::json)),
           'steps', coalesce((
             SELECT json_agg(json_build_object(
                      'step_uuid', s.workflow_step_uuid, 'name', s.name, 'current_state', s.state, 'created_at', s.created_at AT TIME ZONE 'UTC',
                      'completed_at', CASE WHEN s.state IN ('complete', 'cancelled', 'resolved_manually') THEN s.settled_at AT TIME ZONE 'UTC' END,
                      'last_attempted_at', r.last_attempted_at AT TIME ZONE 'UTC', 'attempts', r.attempts, 'max_attempts', r.max_attempts,
                      'dependencies_satisfied', r.dependencies_satisfied, 'retry_eligible', r.retry_eligible,
                      'error', CASE WHEN json_typeof(last.error) = 'object' THEN json_build_object(
                                 'error_type', last.error->>'error_type', 'retryable', coalesce(last.error->>'retryable' = 'true', false),
                                 'status_code', NULL) END) ORDER BY s.created_at, s.step_no, s.instance)
               FROM tasker.get_step_readiness_status(p_task) r
               JOIN tasker.workflow_steps s ON s.workflow_step_uuid = r.workflow_step_uuid
               LEFT JOIN LATERAL (SELECT tasker._readable(sr.result)->'error' AS error FROM tasker.step_results sr
                                   WHERE sr.workflow_step_uuid = s.workflow_step_uuid AND sr.task_uuid = p_task AND sr.attempt > s.results_after
                                   ORDER BY sr.attempt DESC LIMIT 1) last ON true), '[]'::json),
           'dlq', coalesce((
             SELECT json_build_object('in_dlq', d.resolution_status = 'pending', 'dlq_reason', d.dlq_reason, 'resolution_status', d.resolution_status)
               FROM tasker.dead_letters d WHERE d.task_uuid = p_task ORDER BY d.created_at DESC LIMIT 1),
             json_build_object('in_dlq', false, 'dlq_reason', NULL, 'resolution_status', NULL)),
           'links', json_build_object('task', '/v1/tasks/' || p_task, 'steps', '/v1/tasks/' || p_task || '/workflow_steps', 'dlq', '/v1/dlq'))
    FROM tasker.tasks t, tasker.task_responses(ARRAY[p_task], false) doc, LATERAL (SELECT doc.body::json AS b) x
   WHERE t.task_uuid = p_task
$$;
