-- tasker.cancel_task(task, actor, reason, processor): ends a task and everything of it that has not ended, in one transaction.
-- Returns one row with outcome 'cancelled', 'terminal' (nothing changed) or 'unknown', and for 'cancelled' one more row per
-- step that was in progress (step_uuid, attempt): their workers are to be told.
CREATE OR REPLACE FUNCTION tasker.cancel_task(p_task uuid, p_actor text, p_reason text, p_processor uuid)
RETURNS TABLE (outcome text, step_uuid uuid, attempt int) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_now   timestamptz := clock_timestamp();
  v_state tasker.task_state;
  v_ns    text;
  c_step  uuid[];  c_from tasker.step_state[];  c_att smallint[];  c_msg bigint[];
BEGIN
  SELECT t.state, t.namespace INTO v_state, v_ns FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
  IF v_state IS NULL THEN
    RETURN QUERY SELECT 'unknown', NULL::uuid, NULL::int; RETURN;
  ELSIF v_state IN ('complete', 'error', 'cancelled', 'resolved_manually') THEN
    RETURN QUERY SELECT 'terminal', NULL::uuid, NULL::int; RETURN;
  END IF;

  SELECT array_agg(s.workflow_step_uuid), array_agg(s.state), array_agg(s.attempts), array_agg(s.msg_id) INTO c_step, c_from, c_att, c_msg
    FROM tasker.workflow_steps s WHERE s.task_uuid = p_task AND s.state NOT IN ('complete', 'cancelled', 'resolved_manually');
  UPDATE tasker.workflow_steps s SET state = 'cancelled', settled_at = v_now, updated_at = v_now, next_retry_at = NULL, msg_id = NULL
   WHERE s.workflow_step_uuid = ANY (c_step);
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor, reason)
  SELECT c.step, p_task, c.was, 'cancelled', c.att, v_now, p_actor, p_reason FROM unnest(c_step, c_from, c_att) c(step, was, att);
  PERFORM tasker._delete_messages(array_fill(v_ns, ARRAY[cardinality(c_msg)]), c_msg);
  DELETE FROM tasker.step_timers st WHERE st.workflow_step_uuid = ANY (c_step);

  UPDATE tasker.tasks t
     SET open_steps = 0, failed_steps = 0, active_steps = 0, retry_steps = 0, state = 'cancelled', updated_at = v_now, completed_at = v_now
   WHERE t.task_uuid = p_task;
  INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
  VALUES (p_task, v_state, 'cancelled', v_now, p_processor, jsonb_build_object('actor', p_actor, 'reason', p_reason));
  DELETE FROM tasker.open_tasks o WHERE o.task_uuid = p_task;

  RETURN QUERY SELECT 'cancelled', NULL::uuid, NULL::int;
  RETURN QUERY SELECT 'cancelled', c.step, c.att::int FROM unnest(c_step, c_from, c_att) c(step, was, att) WHERE c.was = 'in_progress';
END $$;
