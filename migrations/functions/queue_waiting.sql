-- tasker.queue_waiting(namespaces): per namespace whether a message can be taken now, whether one is visible that
-- does not wait for its turn (its lease has ended), how many wait for their turn (counted up to 10000; beyond, what the server's statistics say of
-- the queue, less those that are hidden), since when the oldest of them is in the queue (of the 10000 oldest messages), and its weight among the
-- namespaces of a worker. One statement for all queues; namespaces without a queue are absent. One look alone goes past the places of messages that
-- were with a worker and are gone (claim_steps): for the earliest end of a lease.
DROP FUNCTION IF EXISTS tasker.queue_waiting(text[]); -- what it returned before
CREATE OR REPLACE FUNCTION tasker.queue_waiting(p_ns text[])
RETURNS TABLE (namespace text, visible boolean, lost boolean, waiting int, oldest_at timestamptz, weight int)
LANGUAGE plpgsql AS $$
DECLARE v text;  v_table text;  v_weight int;  v_now timestamptz := clock_timestamp();
BEGIN
  FOREACH v IN ARRAY p_ns LOOP
    CONTINUE WHEN NOT EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = tasker.queue_name(v));
    v_weight := coalesce((SELECT ns.weight FROM tasker.namespaces ns WHERE ns.name = v), 1);
    v_table := pgmq.format_table_name(tasker.queue_name(v), 'q');
    RETURN QUERY EXECUTE format(
      'SELECT $1, w.n > 0 OR coalesce(l.vt <= $2, false), coalesce(l.vt <= $2, false),
              CASE WHEN w.n < 10000 THEN w.n
                   ELSE greatest(w.n, least(pg_stat_get_live_tuples(%2$L::regclass), 2000000000)::int
                                      - (SELECT count(*)::int FROM (SELECT 1 FROM pgmq.%1$I q WHERE q.vt > $3 LIMIT 10000) x)) END,
              (SELECT min(o.enqueued_at) FROM (SELECT q.vt, q.enqueued_at FROM pgmq.%1$I q ORDER BY q.msg_id LIMIT 10000) o WHERE w.n > 0 AND o.vt <= $3), $4
         FROM (SELECT count(*)::int AS n FROM (SELECT 1 FROM pgmq.%1$I q WHERE q.vt <= $3 LIMIT 10000) x) w,
              (SELECT min(q.vt) AS vt FROM pgmq.%1$I q WHERE q.vt > $3) l',
      v_table, format('pgmq.%I', v_table)) USING v, v_now, tasker._turns_end(v_now), v_weight;
  END LOOP;
END $$;
