-- tasker.queue_waiting(namespaces): per namespace whether a message can be taken now, and when the next hidden one appears.
-- One statement for all queues, two index probes each; namespaces without a queue are absent.
CREATE OR REPLACE FUNCTION tasker.queue_waiting(p_ns text[]) RETURNS TABLE (namespace text, visible boolean, next_visible_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE v text;  v_now timestamptz := clock_timestamp();
BEGIN
  FOREACH v IN ARRAY p_ns LOOP
    CONTINUE WHEN NOT EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = tasker.queue_name(v));
    RETURN QUERY EXECUTE format(
      'SELECT $1, EXISTS (SELECT 1 FROM pgmq.%1$I q WHERE q.vt <= $2),
              (SELECT min(q.vt) FROM pgmq.%1$I q WHERE q.vt > $2)',
      pgmq.format_table_name(tasker.queue_name(v), 'q')) USING v, v_now;
  END LOOP;
END $$;
