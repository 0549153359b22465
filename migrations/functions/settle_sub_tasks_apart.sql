-- tasker.settle_sub_tasks_apart(limit, bytes_max, credit…, lease, processor): what settle_sub_tasks does, child by child, when it raised. Where one raises alone, nothing more is
-- made of that child, and the step that waits for it is set aside; the child itself, if none waits. Nothing is handed over eagerly.
-- Returns: as settle_sub_tasks, and 'set_aside' with what follows. Locks: parents and children, in uuid order.
CREATE OR REPLACE FUNCTION tasker.settle_sub_tasks_apart(p_limit int, p_bytes_max int, p_credit_ns text[], p_credit_n int[], p_lease_ms int, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_due  uuid[] := array(SELECT d.child_uuid FROM tasker.sub_task_dues d ORDER BY d.child_uuid LIMIT least(p_limit, 64));
  v      record;
  v_rows tasker.engine_row[];
BEGIN
  PERFORM 1 FROM tasker.tasks t
    WHERE t.task_uuid = ANY (v_due || array(SELECT st.parent_uuid FROM tasker.sub_tasks st WHERE st.child_uuid = ANY (v_due)))
    ORDER BY t.task_uuid FOR NO KEY UPDATE;
  FOR v IN SELECT u.child, st.parent_uuid AS parent, st.step_uuid AS step, coalesce(s.state = 'enqueued_for_orchestration' AND s.attempts = st.attempt, false) AS waits
             FROM unnest(v_due) u(child)
             LEFT JOIN tasker.sub_tasks st ON st.child_uuid = u.child
             LEFT JOIN tasker.workflow_steps s ON s.workflow_step_uuid = st.step_uuid ORDER BY 1 LOOP
    BEGIN
      v_rows := array(SELECT r FROM tasker.settle_sub_tasks(1, p_bytes_max, '{}', '{}', p_lease_ms, p_processor, v.child) r);
    EXCEPTION WHEN OTHERS THEN
      IF NOT tasker._at_fault(SQLSTATE) THEN RAISE; END IF;
      DELETE FROM tasker.sub_task_dues d WHERE d.child_uuid = v.child;
      UPDATE tasker.sub_tasks st SET outcome = 'failed', settled_at = clock_timestamp() WHERE st.child_uuid = v.child AND st.outcome IS NULL;
      v_rows := array(SELECT r FROM tasker.set_aside(CASE WHEN v.waits THEN v.parent ELSE v.child END, CASE WHEN v.waits THEN v.step END, 'settle_sub_tasks',
                                                     SQLSTATE, SQLERRM, p_processor) r);
    END;
    RETURN QUERY SELECT r.* FROM unnest(v_rows) r;
  END LOOP;
END $$;
