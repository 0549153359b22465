-- tasker.fire_apart(limit, credit…, lease_ms, processor): what fire_timers does, task by task, when it raised: those that raise alone are set aside. Nothing is handed over
-- eagerly, what is ready goes through the queue: an assignment that cannot be made is claim_apart's. At most 64 tasks of each kind, as fire_timers has them.
-- Returns: as fire_timers, and 'set_aside' with what follows. Locks: the task rows, in uuid order.
CREATE OR REPLACE FUNCTION tasker.fire_apart(p_limit int, p_credit_ns text[], p_credit_n int[], p_lease_ms int, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_most constant int := least(p_limit, 64);
  v_due  uuid[] := array(SELECT x.task_uuid FROM (SELECT st.task_uuid FROM tasker.step_timers st WHERE st.due_at <= v_now ORDER BY st.due_at LIMIT v_most) x
                         UNION SELECT x.task_uuid FROM (SELECT q.task_uuid FROM tasker.queue_timers q WHERE q.due_at <= v_now ORDER BY q.due_at LIMIT v_most) x
                         UNION SELECT x.task_uuid FROM (SELECT o.task_uuid FROM tasker.open_tasks o WHERE o.due_at <= v_now ORDER BY o.due_at LIMIT v_most) x);
  v_task uuid;
  v_rows tasker.engine_row[];
BEGIN
  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = ANY (v_due) ORDER BY t.task_uuid FOR NO KEY UPDATE;
  FOREACH v_task IN ARRAY v_due LOOP
    BEGIN
      v_rows := array(SELECT r FROM tasker.fire_timers(p_limit, '{}', '{}', p_lease_ms, p_processor, v_task) r WHERE r.kind <> 'next');
    EXCEPTION WHEN OTHERS THEN
      IF NOT tasker._at_fault(SQLSTATE) THEN RAISE; END IF;
      v_rows := array(SELECT r FROM tasker.set_aside(v_task, NULL, 'fire_timers', SQLSTATE, SQLERRM, p_processor) r);
    END;
    RETURN QUERY SELECT r.* FROM unnest(v_rows) r;
  END LOOP;
  RETURN QUERY SELECT r.* FROM tasker.fire_timers(1, '{}', '{}', p_lease_ms, p_processor, '00000000-0000-0000-0000-000000000000') r; -- what is due next
END $$;
