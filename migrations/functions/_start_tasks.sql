-- tasker._start_tasks(tasks, now, processor): those whose run_at has come are held no longer for that. What is due next of each is set anew.
-- Returns their steps that may be dispatched now: those without parents, unless the task is held for another reason.
-- Locks: the caller holds the task rows. Writes: tasks, open_tasks, task_transitions.
CREATE OR REPLACE FUNCTION tasker._start_tasks(p_task uuid[], p_now timestamptz, p_processor uuid) RETURNS TABLE (step uuid, task uuid)
LANGUAGE plpgsql AS $$
DECLARE
  v_go uuid[];
BEGIN
  WITH upd AS (
    UPDATE tasker.tasks t SET held = t.held & ~8, started_at = p_now, updated_at = p_now
      FROM tasker.open_tasks o
     WHERE t.task_uuid = ANY (p_task) AND o.task_uuid = t.task_uuid AND o.due_at <= p_now AND t.held & 8 <> 0 AND t.run_at <= p_now
    RETURNING t.task_uuid, t.state, t.held
  ), history AS (
    INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
    SELECT task_uuid, state, state, p_now, p_processor, jsonb_build_object('action', 'start', 'actor', 'timer', 'reason', 'its run_at has come', 'held', 8) FROM upd
  )
  SELECT array_agg(upd.task_uuid) FILTER (WHERE upd.held = 0) INTO v_go FROM upd;
  UPDATE tasker.open_tasks o SET due_at = least(t.deadline, CASE WHEN t.held & 8 <> 0 THEN t.run_at END)
    FROM tasker.tasks t
   WHERE o.task_uuid = ANY (p_task) AND o.due_at <= p_now AND t.task_uuid = o.task_uuid;
  RETURN QUERY SELECT s.workflow_step_uuid, s.task_uuid FROM tasker.workflow_steps s
                WHERE s.task_uuid = ANY (v_go) AND s.state = 'pending' AND s.unmet_parents = 0;
END $$;
