-- tasker._failure_result(step, error_type, message, retryable, at): the result of an attempt that fails without a word of its worker, as a worker would have written it.
-- Inlined where its arguments are columns.
CREATE OR REPLACE FUNCTION tasker._failure_result(p_step uuid, p_type text, p_message text, p_retryable boolean, p_at timestamptz) RETURNS json
LANGUAGE sql STABLE AS $$
  SELECT json_build_object('step_uuid', p_step, 'success', false, 'result', '{}'::json, 'status', 'error',
           'metadata', json_build_object('execution_time_ms', 0, 'retryable', p_retryable, 'error_type', p_type, 'completed_at', tasker.time_text(p_at, 'zoned'),
                                         'custom', '{}'::json, 'context', '{}'::json),
           'error', json_build_object('message', p_message, 'error_type', p_type, 'retryable', p_retryable, 'backtrace', '[]'::json),
           'orchestration_metadata', NULL)
$$;
