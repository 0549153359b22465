-- tasker._act(task, step, action, actor, reason, data): what a person decides about a step, without what follows from it for the task. The actions: act_on_step.
-- Returns the rows of act_on_step that tell what became of it, and 'touched' (step_uuid) for each step that _set_going is to look at.
-- Locks: the caller holds the task row. Writes: workflow_steps, step_results, history, step_timers, open_tasks, PGMQ.
CREATE OR REPLACE FUNCTION tasker._act(p_task uuid, p_step uuid, p_action text, p_actor text, p_reason text, p_data text)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now     timestamptz := clock_timestamp();
  v_task    tasker.tasks;
  v_step    tasker.workflow_steps;
  v_to      tasker.step_state;
  v_changed uuid[] := ARRAY[p_step];
BEGIN
  SELECT * INTO v_task FROM tasker.tasks t WHERE t.task_uuid = p_task;
  SELECT * INTO v_step FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = p_step;
  IF NOT FOUND OR v_step.task_uuid <> p_task THEN
    RETURN NEXT tasker._row(CASE WHEN FOUND THEN 'foreign' ELSE 'unknown' END, NULL, p_step, p_task, NULL, NULL, NULL, NULL);
    RETURN;
  ELSIF tasker._repeats_action(p_task, p_step, v_step.state, p_action, p_actor, p_reason, p_data::jsonb) THEN
    RETURN NEXT tasker._row('unchanged', NULL, p_step, p_task, NULL, NULL, NULL, NULL);
    RETURN;
  ELSIF v_task.state IN ('complete', 'cancelled', 'resolved_manually') THEN
    RETURN NEXT tasker._row('ended', NULL, p_step, p_task, NULL, NULL, v_task.state::text, NULL);
    RETURN;
  ELSIF (p_action = 'reset_for_retry' AND v_step.state <> 'error' AND NOT (v_step.state = 'cancelled' AND v_task.state = 'error')) OR (p_action = 'skip' AND v_step.state IN ('in_progress', 'complete')) THEN
    RETURN NEXT tasker._row('refused', NULL, p_step, p_task, NULL, NULL, v_step.state::text, NULL);
    RETURN;
  END IF;

  IF v_task.state = 'error' THEN -- first: what its end has cancelled has its place in a window again
    v_changed := v_changed || tasker._reopen_task(p_task, p_actor, p_reason);
    IF p_action = 'reset_for_retry' AND v_step.state = 'cancelled' THEN -- that was all of it
      RETURN NEXT tasker._row('acted', NULL, p_step, p_task, NULL, NULL, 'pending', NULL);
      RETURN QUERY SELECT (tasker._row('touched', NULL, u.step, p_task, NULL, NULL, NULL, NULL)).* FROM unnest(v_changed) u(step);
      RETURN;
    END IF;
    SELECT * INTO v_step FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = p_step;
  END IF;
  v_to := CASE p_action WHEN 'reset_for_retry' THEN 'pending' WHEN 'complete_manually' THEN 'complete' ELSE 'resolved_manually' END;
  PERFORM tasker._delete_messages(ARRAY[v_task.namespace], ARRAY[v_step.msg_id]);
  WITH retry AS (DELETE FROM tasker.step_timers st WHERE st.workflow_step_uuid = p_step)
  DELETE FROM tasker.queue_timers q WHERE q.workflow_step_uuid = p_step;
  UPDATE tasker.workflow_steps s
     SET state = v_to, msg_id = NULL, next_retry_at = NULL, updated_at = v_now, unmet_parents = 0, no_room = s.no_room AND v_to = 'pending',
         attempts = s.attempts + CASE WHEN v_to = 'complete' THEN 1 ELSE 0 END, -- a manual result is an attempt of its own, which no worker made
         forgiven = CASE v_to WHEN 'pending' THEN s.attempts WHEN 'complete' THEN s.forgiven + 1 ELSE s.forgiven END,
         losses = CASE WHEN v_to = 'pending' THEN 0 ELSE s.losses END,
         settled_at = CASE WHEN v_to = 'pending' THEN s.settled_at ELSE v_now END
   WHERE s.workflow_step_uuid = p_step;
  IF v_to = 'complete' THEN
    INSERT INTO tasker.step_results (workflow_step_uuid, attempt, task_uuid, success, execution_time_ms, worker_id, result, recorded_at)
    VALUES (p_step, v_step.attempts + 1, p_task, true, 0, NULL, tasker._manual_result(p_step, p_data::jsonb, p_actor, p_reason), v_now);
  END IF;
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor, reason)
  VALUES (p_step, p_task, v_step.state, v_to, v_step.attempts + CASE WHEN v_to = 'complete' THEN 1 ELSE 0 END, v_now, p_actor, p_reason);

  RETURN NEXT tasker._row('acted', NULL, p_step, p_task, NULL, NULL, v_to::text, NULL);
  IF v_step.state = 'enqueued_for_orchestration' AND tasker._children_due(ARRAY[p_step]) > 0 THEN
    RETURN NEXT tasker._row('relatives', NULL, p_step, p_task, NULL, NULL, NULL, NULL); -- the sub-task it waited for is not waited for any more
  END IF;
  IF v_step.state = 'in_progress' THEN
    RETURN NEXT tasker._row('called_off', NULL, p_step, p_task, v_step.attempts, v_task.namespace, NULL, NULL);
  END IF;
  IF v_step.instance > 0 AND NOT v_step.no_room AND v_to <> 'pending' AND v_step.state NOT IN ('complete', 'resolved_manually')
     AND NOT (v_step.state = 'error' AND tasker._isolated(v_step.instance, v_step.inputs)) THEN
    v_changed := v_changed || array(SELECT tasker._make_room(ARRAY[p_step], ARRAY['complete'::tasker.step_state])); -- it had its place in the window
  END IF;
  RETURN QUERY SELECT (tasker._row('touched', NULL, u.step, p_task, NULL, NULL, NULL, NULL)).* FROM unnest(v_changed) u(step);
END $$;
