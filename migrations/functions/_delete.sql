-- tasker._delete(namespace, ids): removes messages of one queue. What pgmq.delete does, without returning the ids: that is a
-- quarter of its time.
CREATE OR REPLACE FUNCTION tasker._delete(p_namespace text, p_msg bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'DELETE FROM ' || tasker._queue_table(p_namespace) || ' WHERE msg_id = ANY ($1)' USING p_msg;
END $$;
