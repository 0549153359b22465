-- tasker._has_message(namespace, msg): whether the queue still holds it.
CREATE OR REPLACE FUNCTION tasker._has_message(p_ns text, p_msg bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE v boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM pgmq.%I WHERE msg_id = $1)', pgmq.format_table_name(tasker.queue_name(p_ns), 'q')) INTO v USING p_msg;
  RETURN v;
END $$;
