-- tasker.renew_leases(namespaces, messages, lease_ms): hides the messages of running steps for another lease. Returns how many
-- were renewed. Locks: the message rows only, which others lock after their task and in any order; so it never waits for one:
-- a message locked by somebody else is being settled, released or claimed, and its lease is no longer ours to renew.
CREATE OR REPLACE FUNCTION tasker.renew_leases(p_ns text[], p_msg bigint[], p_lease_ms int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
  v record;
  ids bigint[];
  total int := 0;
BEGIN
  FOR v IN SELECT u.ns, array_agg(u.msg) AS ids FROM unnest(p_ns, p_msg) u(ns, msg) GROUP BY u.ns LOOP
    EXECUTE format('SELECT array(SELECT q.msg_id FROM pgmq.%I q WHERE q.msg_id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)',
                   pgmq.format_table_name(tasker.queue_name(v.ns), 'q')) INTO ids USING v.ids;
    PERFORM pgmq.set_vt(tasker.queue_name(v.ns), ids, clock_timestamp() + p_lease_ms * interval '1 millisecond');
    total := total + cardinality(ids);
  END LOOP;
  RETURN total;
END $$;
