-- tasker._publish_events(tasks, events): each event becomes a message of the queue of its task's namespace, visible at once, in order.
-- What is published commits with the caller's transaction or not at all: this is the outbox. Writes: PGMQ.
CREATE OR REPLACE FUNCTION tasker._publish_events(p_task uuid[], p_event jsonb[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE v record;  v_table text;
BEGIN
  FOR v IN SELECT t.namespace, array_agg(u.event ORDER BY u.n) AS events
             FROM unnest(p_task, p_event) WITH ORDINALITY u(task, event, n) JOIN tasker.tasks t ON t.task_uuid = u.task GROUP BY 1 LOOP
    v_table := 'pgmq.q_' || lower(tasker.event_queue_name(v.namespace));
    IF to_regclass(v_table) IS NULL THEN -- somebody dropped it
      PERFORM tasker._make_event_queue(v.namespace);
    END IF;
    EXECUTE 'INSERT INTO ' || v_table || ' (vt, message) SELECT clock_timestamp(), unnest($1)' USING v.events;
  END LOOP;
END $$;
