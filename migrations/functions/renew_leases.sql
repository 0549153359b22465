-- tasker.renew_leases(namespaces, messages, lease_ms): hides the messages of running steps for another lease. Returns how many
-- were still there. Locks: the message rows only.
CREATE OR REPLACE FUNCTION tasker.renew_leases(p_ns text[], p_msg bigint[], p_lease_ms int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
  v record;
  n int;
  total int := 0;
BEGIN
  FOR v IN SELECT u.ns, array_agg(u.msg) AS ids FROM unnest(p_ns, p_msg) u(ns, msg) GROUP BY u.ns LOOP
    SELECT count(*) INTO n FROM pgmq.set_vt(tasker.queue_name(v.ns), v.ids, clock_timestamp() + p_lease_ms * interval '1 millisecond');
    total := total + n;
  END LOOP;
  RETURN total;
END $$;
