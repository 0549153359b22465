-- tasker.rerun_step(task, step, context, actor, reason, processor): runs a step that has ended and everything below it again, as a new
-- generation of the task. Results so far stay as history; attempts go on counting, with a full budget. context: the task's input from
-- now on (NULL: as it is); the one before is kept with the generation.
-- Steps below that decisions and analyzers among them have brought are dropped, to be made anew (_drop_grown).
-- Returns one row 'acted' (idx = the generation), 'unchanged' (this very rerun is under way), 'refused' (step_name = its state), 'ended' (the task was cancelled or resolved), 'unknown' or 'foreign'; for 'acted' also 'called_off',
-- 'relatives', 'queued', 'timer' and 'done'.
-- Locks: the task row. Writes: workflow_steps, history, step_timers, tasks, open_tasks, task_generations, PGMQ.
CREATE OR REPLACE FUNCTION tasker.rerun_step(p_task uuid, p_step uuid, p_context text, p_actor text, p_reason text, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_task tasker.tasks;
  v_step tasker.workflow_steps;
  v_last tasker.task_generations;
  v_set  uuid[];
  v_back uuid[];
  v      record;
BEGIN
  SELECT * INTO v_task FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
  SELECT * INTO v_step FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = p_step;
  IF NOT FOUND OR v_step.task_uuid <> p_task THEN
    RETURN NEXT tasker._row(CASE WHEN FOUND THEN 'foreign' ELSE 'unknown' END, NULL, p_step, p_task, NULL, NULL, NULL, NULL);
    RETURN;
  ELSIF v_task.state IN ('cancelled', 'resolved_manually') THEN
    RETURN NEXT tasker._row('ended', NULL, p_step, p_task, NULL, NULL, v_task.state::text, NULL);
    RETURN;
  ELSIF v_step.state NOT IN ('complete', 'error', 'resolved_manually', 'cancelled') THEN
    SELECT * INTO v_last FROM tasker.task_generations g WHERE g.task_uuid = p_task AND g.generation = v_task.generation;
    RETURN NEXT tasker._row(CASE WHEN v_last.from_step = p_step AND v_last.actor = p_actor AND v_last.reason = p_reason THEN 'unchanged' ELSE 'refused' END,
                            v_task.generation, p_step, p_task, NULL, NULL, v_step.state::text, NULL);
    RETURN;
  END IF;

  v_set := array(SELECT b.step FROM tasker._below(p_task, ARRAY[p_step]) b);

  RETURN NEXT tasker._row('acted', v_task.generation + 1, p_step, p_task, NULL, NULL, 'pending', NULL);
  INSERT INTO tasker.task_generations (task_uuid, generation, from_step, at, actor, reason, context)
  VALUES (p_task, v_task.generation + 1, p_step, v_now, p_actor, p_reason, CASE WHEN p_context IS NOT NULL THEN v_task.context END);
  UPDATE tasker.tasks t SET generation = t.generation + 1, context = coalesce(p_context::jsonb, t.context), updated_at = v_now WHERE t.task_uuid = p_task;

  FOR v IN SELECT s.workflow_step_uuid AS id, s.attempts FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = ANY (v_set) AND s.state = 'in_progress' LOOP
    RETURN NEXT tasker._row('called_off', NULL, v.id, p_task, v.attempts, v_task.namespace, NULL, NULL);
  END LOOP;
  PERFORM tasker._delete_messages(array(SELECT v_task.namespace FROM unnest(v_set)), array(SELECT s.msg_id FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = ANY (v_set)));
  WITH retries AS (DELETE FROM tasker.step_timers st WHERE st.workflow_step_uuid = ANY (v_set))
  DELETE FROM tasker.queue_timers q WHERE q.workflow_step_uuid = ANY (v_set);
  IF tasker._children_due(v_set) > 0 THEN
    RETURN NEXT tasker._row('relatives', NULL, p_step, p_task, NULL, NULL, NULL, NULL); -- sub-tasks that are not waited for any more
  END IF;
  v_set := tasker._drop_grown(p_task, v_set);
  WITH upd AS (
    UPDATE tasker.workflow_steps s
       SET state = 'pending', msg_id = NULL, next_retry_at = NULL, forgiven = s.attempts, losses = 0, results_after = s.attempts, settled_at = NULL, updated_at = v_now
      FROM tasker.workflow_steps was
     WHERE s.workflow_step_uuid = ANY (v_set) AND was.workflow_step_uuid = s.workflow_step_uuid
    RETURNING s.workflow_step_uuid, was.state, s.attempts)
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor, reason)
  SELECT workflow_step_uuid, p_task, state, 'pending', attempts, v_now, p_actor, p_reason FROM upd;
  v_back := CASE WHEN v_task.state IN ('complete', 'error') THEN tasker._reopen_task(p_task, p_actor, p_reason) ELSE '{}' END;
  RETURN QUERY SELECT r.* FROM tasker._set_going(p_task, v_set || v_back || array(SELECT tasker._take_turns(p_task, v_set)), p_processor) r;
END $$;
