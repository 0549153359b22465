-- tasker.act_on_step(task, step, action, actor, reason, data, processor): what a person decides about a step, in one transaction with all
-- that follows from it: counters, children, timers, dispatch, the end of the task or its revival.
--   reset_for_retry    error → pending, all attempts before it again
--   resolve_manually   any state → resolved_manually; its children need not wait for it; results stay
--   complete_manually  any state → complete with data.result, as if its handler had said so
--   skip               a step that does not run and has not succeeded → resolved_manually
-- A step that runs is taken from its worker: what that hands in later is stale. A task in error is opened again.
-- Returns one row 'acted', 'unchanged' (it was done before), 'refused' (step_name = the step's state), 'ended' (step_name = the task's
-- state), 'unknown' (no such step) or 'foreign' (of another task); for 'acted' also 'called_off' (step_uuid, attempt: its worker is to be
-- told), 'relatives' (the sub-task it waited for is to be looked at), 'queued', 'timer' and 'done'.
-- Locks: the task row. Writes: workflow_steps, step_results, history, step_timers, tasks, open_tasks, PGMQ.
CREATE OR REPLACE FUNCTION tasker.act_on_step(p_task uuid, p_step uuid, p_action text, p_actor text, p_reason text, p_data text, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now     timestamptz := clock_timestamp();
  v_task    tasker.tasks;
  v_step    tasker.workflow_steps;
  v_to      tasker.step_state;
  v_changed uuid[] := ARRAY[p_step];
  v_waits   boolean := false;
BEGIN
  SELECT * INTO v_task FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
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
  ELSIF (p_action = 'reset_for_retry' AND v_step.state <> 'error') OR (p_action = 'skip' AND v_step.state IN ('in_progress', 'complete')) THEN
    RETURN NEXT tasker._row('refused', NULL, p_step, p_task, NULL, NULL, v_step.state::text, NULL);
    RETURN;
  END IF;

  IF v_task.state = 'error' THEN -- first: what its end has cancelled has its place in a window again
    v_changed := v_changed || tasker._reopen_task(p_task, p_actor, p_reason);
    SELECT * INTO v_step FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = p_step;
  END IF;
  v_to := CASE p_action WHEN 'reset_for_retry' THEN 'pending' WHEN 'complete_manually' THEN 'complete' ELSE 'resolved_manually' END;
  IF v_to = 'pending' AND tasker._isolated(v_step.instance, v_step.inputs) THEN
    v_waits := NOT tasker._has_room(p_task, v_step.step_no, v_step.inputs); -- it gave its place in the window away
  END IF;
  PERFORM tasker._delete_messages(ARRAY[v_task.namespace], ARRAY[v_step.msg_id]);
  WITH retry AS (DELETE FROM tasker.step_timers st WHERE st.workflow_step_uuid = p_step)
  DELETE FROM tasker.queue_timers q WHERE q.workflow_step_uuid = p_step;
  UPDATE tasker.workflow_steps s
     SET state = v_to, msg_id = NULL, next_retry_at = NULL, updated_at = v_now, unmet_parents = 0, no_room = (s.no_room OR v_waits) AND v_to = 'pending',
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
  RETURN QUERY SELECT r.* FROM tasker._set_going(p_task, v_changed, p_processor) r;
END $$;
