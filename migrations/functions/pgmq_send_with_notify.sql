-- tasker.pgmq_send_with_notify(queue, message, delay): sends and notifies listeners in one transaction, for producers outside;
-- our own path never notifies inside a hot transaction. Channels after the reference: pgmq_message_ready and
-- pgmq_message_ready.<namespace>, and our own hint channel.
CREATE OR REPLACE FUNCTION tasker.pgmq_send_with_notify(p_queue text, p_message jsonb, p_delay int DEFAULT 0) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_id   bigint;
  v_ns   text := coalesce(substring(p_queue FROM '^worker_(.*)_queue$'), substring(p_queue FROM '^(.*)_queue$'), 'default');
  v_note text;
BEGIN
  SELECT pgmq.send(p_queue, p_message, p_delay) INTO v_id;
  v_note := jsonb_build_object('event_type', 'message_ready', 'msg_id', v_id, 'queue_name', p_queue, 'namespace', v_ns,
                               'ready_at', clock_timestamp(), 'delay_seconds', p_delay, 'payload_omitted', true)::text;
  PERFORM pg_notify('pgmq_message_ready', v_note);
  PERFORM pg_notify('pgmq_message_ready.' || v_ns, v_note);
  PERFORM pg_notify('tasker_hint', 'q ' || v_ns);
  RETURN v_id;
END $$;
