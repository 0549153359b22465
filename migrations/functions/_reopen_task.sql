-- tasker._reopen_task(task, actor, reason): takes back that a task has ended: what its end cancelled is pending again, with all its
-- attempts before it, and the task is listed as open. A deadline that has passed holds no longer. What
-- held the task before its end does not: it is held by its template or namespace, if these are paused now. Its state and counters follow when the caller calls _set_going.
-- Returns the steps that are pending again. Locks: the caller holds the task row.
CREATE OR REPLACE FUNCTION tasker._reopen_task(p_task uuid, p_actor text, p_reason text) RETURNS uuid[]
LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_step uuid[];
BEGIN
  PERFORM tasker._unroll(p_task);
  WITH upd AS (
    UPDATE tasker.workflow_steps s
       SET state = 'pending', forgiven = s.attempts, losses = 0, settled_at = NULL, updated_at = v_now
     WHERE s.task_uuid = p_task AND s.state = 'cancelled'
    RETURNING s.workflow_step_uuid, s.attempts
  ), history AS (
    INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor, reason)
    SELECT workflow_step_uuid, p_task, 'cancelled', 'pending', attempts, v_now, p_actor, p_reason FROM upd
  )
  SELECT coalesce(array_agg(workflow_step_uuid), '{}') INTO v_step FROM upd;
  UPDATE tasker.tasks t
     SET completed_at = NULL, message = NULL, updated_at = v_now,
         held = (SELECT CASE WHEN nt.paused THEN 2 ELSE 0 END + CASE WHEN ns.paused THEN 4 ELSE 0 END
                   FROM tasker.named_tasks nt JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid WHERE nt.named_task_uuid = t.named_task_uuid)
   WHERE t.task_uuid = p_task;
  DELETE FROM tasker.ended_otherwise e WHERE e.task_uuid = p_task;
  INSERT INTO tasker.open_tasks (task_uuid, namespace, created_at, due_at)
  SELECT t.task_uuid, t.namespace, t.created_at, CASE WHEN t.deadline > v_now THEN t.deadline END FROM tasker.tasks t WHERE t.task_uuid = p_task ON CONFLICT DO NOTHING;
  RETURN v_step;
END $$;
