-- tasker._visible(namespace, msg): whether a message may be taken now.
CREATE OR REPLACE FUNCTION tasker._visible(p_ns text, p_msg bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE v boolean;
BEGIN
  EXECUTE format('SELECT vt <= clock_timestamp() FROM pgmq.%I WHERE msg_id = $1', pgmq.format_table_name(tasker.queue_name(p_ns), 'q'))
     INTO v USING p_msg;
  RETURN coalesce(v, false);
END $$;
