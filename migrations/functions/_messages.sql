-- tasker._messages(): every message of every step queue: (namespace, msg_id, step_uuid). For checks and repairs, not for dispatch.
-- STABLE, so that a check sees queues and steps in one snapshot, also while the system works.
CREATE OR REPLACE FUNCTION tasker._messages() RETURNS TABLE (namespace text, msg_id bigint, step_uuid uuid)
LANGUAGE plpgsql STABLE AS $$
DECLARE v text;
BEGIN
  FOR v IN SELECT ns.name FROM tasker.namespaces ns JOIN pgmq.meta m ON m.queue_name = tasker.queue_name(ns.name) LOOP
    RETURN QUERY EXECUTE format('SELECT $1, q.msg_id, tasker._message_step(q.message) FROM pgmq.%I q',
                                pgmq.format_table_name(tasker.queue_name(v), 'q')) USING v;
  END LOOP;
END $$;
