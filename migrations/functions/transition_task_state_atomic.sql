-- tasker.transition_task_state_atomic(task, from, to, processor, metadata): the conditional change of a task's state: true
-- when the task was in `from` and is now in `to`; of two callers at once the second waits and gets false. Never raises on a
-- mismatch. The engine's own changes follow the counters (_advance_tasks) or end a task (cancel_task); this is for decisions. Ending a task ends its steps too: what failed stays failed,
-- what still runs is cancelled, so that its late results are stale.
CREATE OR REPLACE FUNCTION tasker.transition_task_state_atomic(p_task uuid, p_from text, p_to text, p_processor uuid, p_metadata jsonb DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := clock_timestamp();
BEGIN
  UPDATE tasker.tasks t
     SET state = p_to::tasker.task_state, updated_at = v_now,
         completed_at = CASE WHEN p_to IN ('complete', 'error', 'cancelled', 'resolved_manually') THEN v_now END,
         message = CASE WHEN p_to IN ('error', 'cancelled') THEN p_metadata ->> 'reason' END
   WHERE t.task_uuid = p_task AND t.state = p_from::tasker.task_state;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
  VALUES (p_task, p_from::tasker.task_state, p_to::tasker.task_state, v_now, p_processor, p_metadata);
  IF p_to IN ('error', 'cancelled', 'resolved_manually') THEN
    PERFORM tasker._end_steps(p_task, NULL, 'the task became ' || p_to, true);
  END IF;
  IF p_to IN ('complete', 'error', 'cancelled', 'resolved_manually') THEN
    DELETE FROM tasker.open_tasks o WHERE o.task_uuid = p_task;
  ELSE
    INSERT INTO tasker.open_tasks (task_uuid, namespace, created_at, due_at)
    SELECT t.task_uuid, t.namespace, t.created_at, CASE WHEN t.deadline > v_now THEN t.deadline END FROM tasker.tasks t WHERE t.task_uuid = p_task ON CONFLICT DO NOTHING;
  END IF;
  PERFORM tasker._ended_otherwise(p_task);
  RETURN true;
END $$;
