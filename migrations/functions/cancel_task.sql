-- tasker.cancel_task(task, actor, reason, processor): ends a task and everything of it that has not ended, in one transaction.
-- Returns one row with outcome 'cancelled', 'terminal' (nothing changed) or 'unknown', and for 'cancelled' one more row per
-- step that was in progress (step_uuid, attempt): their workers are to be told.
CREATE OR REPLACE FUNCTION tasker.cancel_task(p_task uuid, p_actor text, p_reason text, p_processor uuid)
RETURNS TABLE (outcome text, step_uuid uuid, attempt int) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_now   timestamptz := clock_timestamp();
  v_state tasker.task_state;
BEGIN
  SELECT t.state INTO v_state FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
  IF v_state IS NULL THEN
    RETURN QUERY SELECT 'unknown', NULL::uuid, NULL::int; RETURN;
  ELSIF v_state IN ('complete', 'error', 'cancelled', 'resolved_manually') THEN
    RETURN QUERY SELECT 'terminal', NULL::uuid, NULL::int; RETURN;
  END IF;
  RETURN QUERY SELECT 'cancelled', NULL::uuid, NULL::int;
  RETURN QUERY SELECT 'cancelled', e.step_uuid, e.attempt FROM tasker._end_steps(p_task, p_actor, p_reason, false) e;
  UPDATE tasker.tasks t SET state = 'cancelled', updated_at = v_now, completed_at = v_now, message = p_reason WHERE t.task_uuid = p_task;
  PERFORM tasker._ended_otherwise(p_task);
  INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
  VALUES (p_task, v_state, 'cancelled', v_now, p_processor, jsonb_build_object('actor', p_actor, 'reason', p_reason));
  DELETE FROM tasker.open_tasks o WHERE o.task_uuid = p_task;
END $$;
