-- tasker.queue_waiting(namespaces): per namespace whether a message can be taken now, when the next hidden one appears, whether one is visible
-- that does not wait for its turn (its lease has ended), how many can be taken (counted up to 10000; beyond, what the server's statistics say of
-- the queue, less those that are hidden), since when the oldest of them is in the queue (of the 10000 oldest messages), and its weight among the
-- namespaces of a worker. One statement for all queues; namespaces without a queue are absent.
DROP FUNCTION IF EXISTS tasker.queue_waiting(text[]); -- before there were weights
CREATE OR REPLACE FUNCTION tasker.queue_waiting(p_ns text[])
RETURNS TABLE (namespace text, visible boolean, next_visible_at timestamptz, lost boolean, waiting int, oldest_at timestamptz, weight int)
LANGUAGE plpgsql AS $$
DECLARE v text;  v_table text;  v_weight int;  v_now timestamptz := clock_timestamp();
BEGIN
  FOREACH v IN ARRAY p_ns LOOP
    CONTINUE WHEN NOT EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = tasker.queue_name(v));
    v_weight := coalesce((SELECT ns.weight FROM tasker.namespaces ns WHERE ns.name = v), 1);
    v_table := pgmq.format_table_name(tasker.queue_name(v), 'q');
    RETURN QUERY EXECUTE format(
      'SELECT $1, w.n > 0, (SELECT min(q.vt) FROM pgmq.%1$I q WHERE q.vt > $2), EXISTS (SELECT 1 FROM pgmq.%1$I q WHERE q.vt <= $2 AND q.vt > $3),
              CASE WHEN w.n < 10000 THEN w.n
                   ELSE greatest(w.n, least(pg_stat_get_live_tuples(%2$L::regclass), 2000000000)::int
                                      - (SELECT count(*)::int FROM (SELECT 1 FROM pgmq.%1$I q WHERE q.vt > $2 LIMIT 10000) x)) END,
              (SELECT min(o.enqueued_at) FROM (SELECT q.vt, q.enqueued_at FROM pgmq.%1$I q ORDER BY q.msg_id LIMIT 10000) o WHERE w.n > 0 AND o.vt <= $2), $4
         FROM (SELECT count(*)::int AS n FROM (SELECT 1 FROM pgmq.%1$I q WHERE q.vt <= $2 LIMIT 10000) x) w',
      v_table, format('pgmq.%I', v_table)) USING v, v_now, tasker._turns_end(v_now), v_weight;
  END LOOP;
END $$;
