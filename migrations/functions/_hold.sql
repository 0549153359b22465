-- tasker._hold(task, bits, on, processor): sets or clears reasons to hold a task. A held task gets nothing new; what lies in the queue is
-- taken back, what a worker has goes on to its end. When the last reason is gone the task goes on.
-- Bit 16: it was set aside (_hold_aside), and is due again only when that is over.
-- Returns what _set_going returns, and 'timer'. Locks: the caller holds the task row.
CREATE OR REPLACE FUNCTION tasker._hold(p_task uuid, p_bits int, p_on boolean, p_processor uuid) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_ns  text;
  v_msg bigint[];
  v_due timestamptz;
BEGIN
  UPDATE tasker.tasks t SET held = CASE WHEN p_on THEN t.held | p_bits ELSE t.held & ~p_bits END, updated_at = v_now
   WHERE t.task_uuid = p_task RETURNING t.namespace INTO v_ns;
  IF p_on THEN
    WITH was AS (
      SELECT s.workflow_step_uuid, s.msg_id FROM tasker.workflow_steps s WHERE s.task_uuid = p_task AND s.state = 'enqueued'
    ), upd AS (
      UPDATE tasker.workflow_steps s SET state = 'pending', msg_id = NULL, updated_at = v_now
        FROM was WHERE s.workflow_step_uuid = was.workflow_step_uuid
      RETURNING s.workflow_step_uuid, s.attempts, was.msg_id
    ), timers AS (
      DELETE FROM tasker.queue_timers q WHERE q.workflow_step_uuid = ANY (array(SELECT was.workflow_step_uuid FROM was))
    ), history AS (
      INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, reason)
      SELECT workflow_step_uuid, p_task, 'enqueued', 'pending', attempts, v_now, 'the task is held' FROM upd
    )
    SELECT array_agg(msg_id) INTO v_msg FROM upd;
    PERFORM tasker._delete_messages(array_fill(v_ns, ARRAY[coalesce(cardinality(v_msg), 0)]), v_msg);
  END IF;
  IF NOT p_on AND p_bits & 16 <> 0 THEN
    UPDATE tasker.open_tasks o SET due_at = least(t.deadline, CASE WHEN t.held & 8 <> 0 THEN t.run_at END)
      FROM tasker.tasks t WHERE o.task_uuid = p_task AND t.task_uuid = p_task AND o.due_at IS NULL RETURNING o.due_at INTO v_due;
    IF v_due IS NOT NULL THEN
      RETURN NEXT tasker._row('timer', NULL, NULL, p_task, NULL, NULL, NULL, v_due);
    END IF;
  END IF;
  RETURN QUERY SELECT r.* FROM tasker._set_going(p_task, '{}', p_processor) r;
END $$;
