-- tasker.renew_leases(held executions, lease_ms): hides the messages of running steps for another lease. Returns the places (from 1)
-- of those that do not hold any more: settled, released, or somebody else's; that never changes back, so their holder may be told.
-- Locks: the message rows only, which others lock after their task and in any order; so it never waits for one: a message locked by
-- somebody else is being settled, released or claimed. Steps are looked at once their messages are locked: whoever releases such a
-- step now makes its message visible after us.
DROP FUNCTION IF EXISTS tasker.renew_leases(text[], bigint[], int);
CREATE OR REPLACE FUNCTION tasker.renew_leases(p_step uuid[], p_attempt int[], p_msg bigint[], p_ns text[], p_lease_ms int) RETURNS SETOF int
LANGUAGE plpgsql AS $$
DECLARE
  v     record;
  v_ids bigint[];
BEGIN
  FOR v IN SELECT u.ns, array_agg(u.msg) AS ids FROM unnest(p_ns, p_msg) u(ns, msg)
            WHERE EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = tasker.queue_name(u.ns)) -- the names come from workers
            GROUP BY u.ns LOOP
    EXECUTE format('SELECT array(SELECT q.msg_id FROM pgmq.%I q WHERE q.msg_id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)',
                   pgmq.format_table_name(tasker.queue_name(v.ns), 'q')) INTO v_ids USING v.ids;
    SELECT array_agg(u.msg) INTO v_ids
      FROM unnest(p_step, p_attempt, p_msg, p_ns) u(step, att, msg, ns)
      JOIN tasker.workflow_steps s ON s.workflow_step_uuid = u.step AND s.state = 'in_progress' AND s.attempts = u.att AND s.msg_id = u.msg
     WHERE u.ns = v.ns AND u.msg = ANY (v_ids);
    IF v_ids IS NOT NULL THEN
      PERFORM pgmq.set_vt(tasker.queue_name(v.ns), v_ids, clock_timestamp() + p_lease_ms * interval '1 millisecond');
    END IF;
  END LOOP;
  RETURN QUERY
  SELECT u.idx::int FROM unnest(p_step, p_attempt, p_msg) WITH ORDINALITY u(step, att, msg, idx)
    LEFT JOIN tasker.workflow_steps s ON s.workflow_step_uuid = u.step AND s.state = 'in_progress' AND s.attempts = u.att AND s.msg_id = u.msg
   WHERE s.workflow_step_uuid IS NULL;
END $$;
