-- tasker.checkpoint_step(execution, cursor, items, accumulated, history_max, lease_ms): stores how far a running step has come and renews its
-- lease. The history keeps the last cursors. Returns the checkpoint as stored, NULL when the execution does not hold any more.
-- Said twice it is stored twice, with the same meaning. Locks: the task row, then step and message. Writes: workflow_steps, PGMQ.
CREATE OR REPLACE FUNCTION tasker.checkpoint_step(p_step uuid, p_task uuid, p_attempt int, p_msg bigint, p_cursor text, p_items bigint,
                                                  p_accumulated text, p_history_max int, p_lease_ms int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  v_now    timestamptz := clock_timestamp();
  v_at     text := tasker.time_text(v_now, 'zoned');
  v_ns     text;
  v_stored text;
BEGIN
  SELECT t.namespace INTO v_ns FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
  UPDATE tasker.workflow_steps s
     SET updated_at = v_now, checkpoint = json_build_object(
           'cursor', p_cursor::json, 'items_processed', p_items, 'timestamp', v_at, 'accumulated_results', p_accumulated::json,
           'history', (SELECT json_agg(h.entry ORDER BY h.n)
                         FROM (SELECT x.entry, x.n
                                 FROM (SELECT e.entry, e.n FROM json_array_elements(s.checkpoint -> 'history') WITH ORDINALITY e(entry, n)
                                       UNION ALL SELECT json_build_object('cursor', p_cursor::json, 'timestamp', v_at), p_history_max + 1) x
                                ORDER BY x.n DESC LIMIT p_history_max) h))
   WHERE s.workflow_step_uuid = p_step AND s.task_uuid = p_task AND s.state = 'in_progress' AND s.attempts = p_attempt AND s.msg_id = p_msg
  RETURNING s.checkpoint::text INTO v_stored;
  IF v_stored IS NOT NULL THEN
    PERFORM pgmq.set_vt(tasker.queue_name(v_ns), ARRAY[p_msg], v_now + p_lease_ms * interval '1 millisecond');
  END IF;
  RETURN v_stored;
END $$;
