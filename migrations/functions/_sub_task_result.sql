-- tasker._sub_task_result(child, bytes_max): what a step is told of the task it waited for, in the shape of a handler's result.
--   complete, resolved_manually: {sub_task: {task_uuid, namespace, name, version, status, correlation_id}, results: {step name: its result},
--   results_complete}; results that are larger than bytes_max together are left out: who needs them asks for them by task_uuid.
--   Otherwise an error: sub_task_cancelled for good, because somebody decided so; sub_task_failed by the retry rules of the step, with what failed in it.
-- Reads: tasks, sub_tasks, workflow_steps, step_results. Locks: the caller holds the child's row.
CREATE OR REPLACE FUNCTION tasker._sub_task_result(p_child uuid, p_bytes_max int, OUT success boolean, OUT retryable boolean, OUT body text)
LANGUAGE plpgsql AS $$
DECLARE
  v_now     timestamptz := clock_timestamp();
  v_sub     tasker.sub_tasks;
  v         record;
  v_task    jsonb;
  v_results text;
  v_type    text;
  v_message text;
BEGIN
  SELECT * INTO v_sub FROM tasker.sub_tasks st WHERE st.child_uuid = p_child;
  SELECT t.namespace, t.state, t.correlation_id, nt.name, nt.version INTO v
    FROM tasker.tasks t JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid WHERE t.task_uuid = p_child;
  v_task := jsonb_build_object('task_uuid', p_child, 'namespace', v.namespace, 'name', v.name, 'version', v.version, 'status', v.state,
                               'correlation_id', v.correlation_id);
  success := v.state IN ('complete', 'resolved_manually');
  retryable := NOT success AND v.state <> 'cancelled';

  IF success THEN
    -- The stored size first: what is too large even compressed is not unpacked to find out.
    SELECT CASE WHEN coalesce(sum(pg_column_size(r.result)), 0) <= p_bytes_max THEN 'small' END INTO v_results
      FROM tasker.workflow_steps s
      JOIN tasker.step_results r ON r.task_uuid = p_child AND r.workflow_step_uuid = s.workflow_step_uuid AND r.attempt = s.attempts AND r.success
     WHERE s.task_uuid = p_child AND s.state = 'complete';
    IF v_results IS NOT NULL THEN
      SELECT coalesce(string_agg(to_json(s.name)::text || ':' || coalesce((tasker._readable(r.result) -> 'result')::text, 'null'), ',' ORDER BY s.step_no, s.instance), '') INTO v_results
        FROM tasker.workflow_steps s
        JOIN tasker.step_results r ON r.task_uuid = p_child AND r.workflow_step_uuid = s.workflow_step_uuid AND r.attempt = s.attempts AND r.success
       WHERE s.task_uuid = p_child AND s.state = 'complete';
    END IF;
    IF octet_length(v_results) > p_bytes_max THEN v_results := NULL; END IF;
  ELSE
    v_type := CASE WHEN retryable THEN 'sub_task_failed' ELSE 'sub_task_cancelled' END;
    SELECT format(': step %s failed: %s', s.name, left(coalesce(tasker._error_text(r.result), 'no message'), 1000)) INTO v_message
      FROM tasker.workflow_steps s
      LEFT JOIN LATERAL (SELECT sr.result FROM tasker.step_results sr WHERE sr.task_uuid = p_child AND sr.workflow_step_uuid = s.workflow_step_uuid
                            AND NOT sr.success ORDER BY sr.attempt DESC LIMIT 1) r ON true
     WHERE s.task_uuid = p_child AND s.state = 'error' ORDER BY s.last_failure_at, s.step_no LIMIT 1;
    v_message := format('sub-task %s (%s/%s) is %s%s', p_child, v.namespace, v.name, v.state, coalesce(v_message, ''));
  END IF;

  body := '{"step_uuid":' || to_json(v_sub.step_uuid)::text || ',"success":' || success::text || ',"result":'
    || CASE WHEN success THEN '{"sub_task":' || v_task::text || ',"results":{' || coalesce(v_results, '') || '},"results_complete":' || (v_results IS NOT NULL)::text || '}'
            ELSE '{}' END
    || ',"status":' || CASE WHEN success THEN '"completed"' ELSE '"error"' END || ',"metadata":'
    || json_build_object('execution_time_ms', v_sub.exec_ms, 'handler_version', NULL, 'retryable', success OR retryable,
         'completed_at', tasker.time_text(v_now, 'zoned'), 'worker_id', v_sub.worker_id, 'worker_hostname', NULL,
         'started_at', tasker.time_text(v_sub.created_at, 'zoned'), 'custom', jsonb_build_object('sub_task_uuid', p_child), 'error_code', NULL,
         'error_type', v_type, 'context', CASE WHEN success THEN '{}' ELSE v_task END)::text
    || ',"error":' || CASE WHEN success THEN 'null' ELSE json_build_object('message', v_message, 'error_type', v_type, 'backtrace', '[]'::json,
         'retryable', retryable, 'context', v_task)::text END
    || ',"orchestration_metadata":null}';
END $$;
