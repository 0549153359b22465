-- tasker.claim_apart(namespaces, counts, lease_ms, losses_max, processor, lost): what claim_steps does, message by message, when it raised: the steps whose claim
-- raises alone are set aside, the others are claimed. At most 64 of a namespace: whoever is left is claimed by the next claim_steps, or comes here again.
-- Returns: as claim_steps, without 'more', and 'set_aside' with what follows. Locks: the task rows, in uuid order.
CREATE OR REPLACE FUNCTION tasker.claim_apart(p_ns text[], p_n int[], p_lease_ms int, p_losses_max int, p_processor uuid, p_lost boolean)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now   timestamptz := clock_timestamp();
  v_after timestamptz := CASE WHEN p_lost THEN tasker._turns_end(v_now) ELSE '-infinity' END;
  v_until timestamptz := CASE WHEN p_lost IS FALSE THEN tasker._turns_end(v_now) ELSE v_now END;
  m_id    bigint[] := '{}';  m_step uuid[] := '{}';  m_ns text[] := '{}';
  n_id    bigint[];  n_step uuid[];
  v       record;
  v_rows  tasker.engine_row[];
BEGIN
  FOR i IN 1 .. coalesce(cardinality(p_ns), 0) LOOP
    CONTINUE WHEN p_n[i] <= 0 OR NOT EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = tasker.queue_name(p_ns[i]));
    EXECUTE 'SELECT array_agg(q.msg_id), array_agg(tasker._message_step(q.message))
               FROM (SELECT msg_id, message FROM ' || tasker._queue_table(p_ns[i]) || ' WHERE vt <= $2 AND vt > $3 ORDER BY vt LIMIT $1) q'
       INTO n_id, n_step USING least(p_n[i], 64), v_until, v_after;
    m_id := m_id || n_id;
    m_step := m_step || n_step;
    m_ns := m_ns || array_fill(p_ns[i], ARRAY[coalesce(cardinality(n_id), 0)]);
  END LOOP;
  PERFORM 1 FROM tasker.tasks t -- outside of what may be undone: nobody else claims them meanwhile
    WHERE t.task_uuid = ANY (array(SELECT s.task_uuid FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = ANY (m_step)))
    ORDER BY t.task_uuid FOR NO KEY UPDATE;
  FOR v IN SELECT m.id, m.ns, s.workflow_step_uuid AS step, s.task_uuid AS task
             FROM unnest(m_id, m_step, m_ns) m(id, step, ns) LEFT JOIN tasker.workflow_steps s ON s.workflow_step_uuid = m.step ORDER BY m.id LOOP
    BEGIN
      v_rows := array(SELECT r FROM tasker.claim_steps(ARRAY[v.ns], ARRAY[1], p_lease_ms, p_losses_max, p_processor, p_lost, v.id) r WHERE r.kind <> 'more');
    EXCEPTION WHEN OTHERS THEN
      IF v.task IS NULL OR NOT tasker._at_fault(SQLSTATE) THEN RAISE; END IF;
      v_rows := array(SELECT r FROM tasker.set_aside(v.task, v.step, 'claim_steps', SQLSTATE, SQLERRM, p_processor) r);
    END;
    RETURN QUERY SELECT r.* FROM unnest(v_rows) r;
  END LOOP;
END $$;
