-- Turns (docs/design/fairness.md): steps that wait in a queue now wait a hundred years ago, in the order in which they came until now.
DO $$
DECLARE v text;
BEGIN
  FOR v IN SELECT ns.name FROM tasker.namespaces ns JOIN pgmq.meta m ON m.queue_name = 'worker_' || ns.name || '_queue' LOOP
    EXECUTE format('UPDATE pgmq.%I SET vt = vt - interval ''876000 hours'' WHERE vt <= clock_timestamp()', 'q_' || lower('worker_' || v || '_queue'));
  END LOOP;
END $$;
