-- tasker._hold_aside(task, step, why, processor): a task that makes statements raise is paused, and out of everything that is looked at without being asked for: its timers
-- go, its messages go, a step that was with a worker is taken from it. Bit 16 beside bit 1 says that it was not a person. Resuming it makes all of it anew (_hold).
-- Who did it and why is in its history, and it gets an entry in the dead-letter queue, unless that raises too.
-- Returns 'called_off', what _hold and _dead_letters return; nothing when the task has ended.
-- Locks: the caller holds the task row. Writes: what _hold does, step_timers, open_tasks, task_transitions, dead_letters.
CREATE OR REPLACE FUNCTION tasker._hold_aside(p_task uuid, p_step uuid, p_why text, p_processor uuid) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_task tasker.tasks;
  v_att  int;
  v_rows tasker.engine_row[];
BEGIN
  SELECT * INTO v_task FROM tasker.tasks t WHERE t.task_uuid = p_task AND t.state NOT IN ('complete', 'error', 'cancelled', 'resolved_manually');
  IF NOT FOUND THEN RETURN; END IF;
  UPDATE tasker.workflow_steps s SET state = 'enqueued', forgiven = least(s.forgiven::int + 1, s.attempts), updated_at = v_now
   WHERE s.workflow_step_uuid = p_step AND s.state = 'in_progress' RETURNING s.attempts INTO v_att;
  IF FOUND THEN
    INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor, reason)
    VALUES (p_step, p_task, 'in_progress', 'enqueued', v_att, v_now, 'orchestrator', p_why);
    RETURN NEXT tasker._row('called_off', NULL, p_step, p_task, v_att, v_task.namespace, 'its task is set aside', NULL);
  END IF;
  DELETE FROM tasker.step_timers st
   WHERE st.workflow_step_uuid = ANY (array(SELECT s.workflow_step_uuid FROM tasker.workflow_steps s WHERE s.task_uuid = p_task AND s.state = 'waiting_for_retry'));
  UPDATE tasker.open_tasks o SET due_at = NULL WHERE o.task_uuid = p_task;
  INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
  VALUES (p_task, v_task.state, v_task.state, v_now, p_processor, jsonb_build_object('action', 'pause', 'actor', 'orchestrator', 'reason', p_why, 'held', 17));
  RETURN QUERY SELECT r.* FROM tasker._hold(p_task, 17, true, p_processor) r;
  BEGIN
    v_rows := array(SELECT r FROM tasker._dead_letters(ARRAY[p_task], ARRAY['manual_dlq'::tasker.dlq_reason], ARRAY[jsonb_build_object(
      'detection_method', 'set_aside', 'actor', 'orchestrator', 'reason', p_why, 'detected_by', p_processor, 'time_in_state_minutes', 0)]) r);
  EXCEPTION WHEN OTHERS THEN
    IF NOT tasker._at_fault(SQLSTATE) THEN RAISE; END IF;
  END;
  RETURN QUERY SELECT r.* FROM unnest(v_rows) r;
END $$;
