-- tasker._make_event_queue(namespace): makes the queue of its durable domain events unless it is there. Many may call at once: one
-- advisory lock per namespace.
CREATE OR REPLACE FUNCTION tasker._make_event_queue(p_namespace text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = tasker.event_queue_name(p_namespace)) THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('tasker.event_queue/' || p_namespace, 0));
  IF NOT EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = tasker.event_queue_name(p_namespace)) THEN
    PERFORM pgmq.create(tasker.event_queue_name(p_namespace));
  END IF;
END $$;
