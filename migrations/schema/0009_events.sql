-- Domain events (docs/events.md). Durable ones are messages of the queue <namespace>_domain_events, which tasker.register_template makes
-- with the first template that declares one. Templates that are stored already get theirs here.
DO $$
DECLARE v text;
BEGIN
  FOR v IN
    SELECT DISTINCT ns.name || '_domain_events'
      FROM tasker.templates t JOIN tasker.named_tasks nt USING (digest) JOIN tasker.namespaces ns USING (namespace_uuid)
     WHERE jsonb_path_exists(t.body, '$.steps[*].publishes_events[*] ? (@.delivery_mode != "fast")')
  LOOP
    IF NOT EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = v) THEN
      PERFORM pgmq.create(v);
    END IF;
  END LOOP;
END $$;
