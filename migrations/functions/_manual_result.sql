-- tasker._manual_result(step, data, actor, reason): the result a person gives a step in place of its handler, in the shape of a handler's.
-- data: {"result": any, "metadata": any or absent}. Metadata that are no object are kept under operator_metadata. Pure but for the clock.
CREATE OR REPLACE FUNCTION tasker._manual_result(p_step uuid, p_data jsonb, p_actor text, p_reason text) RETURNS json
LANGUAGE sql STABLE AS $$
  SELECT json_build_object(
    'step_uuid', p_step, 'success', true, 'result', p_data -> 'result', 'status', 'completed', 'error', NULL, 'orchestration_metadata', NULL,
    'metadata', json_build_object(
      'execution_time_ms', 0, 'handler_version', NULL, 'retryable', false, 'completed_at', tasker.time_text(clock_timestamp(), 'zoned'),
      'worker_id', NULL, 'worker_hostname', NULL, 'started_at', NULL, 'error_code', NULL, 'error_type', NULL, 'context', '{}'::json,
      'custom', CASE WHEN coalesce(p_data -> 'metadata', 'null') = 'null' THEN '{}'::jsonb
                     WHEN jsonb_typeof(p_data -> 'metadata') = 'object' THEN p_data -> 'metadata'
                     ELSE jsonb_build_object('operator_metadata', p_data -> 'metadata') END
                || jsonb_build_object('manually_completed', true, 'completed_by', p_actor, 'completion_reason', p_reason)))
$$;
