-- tasker._put_off(task, for): what is due of a task comes so much later: the visible messages of its steps, its timers. Nothing about it is looked at but its keys.
-- Locks: the caller holds the task row. Writes: PGMQ, step_timers, queue_timers, open_tasks, sub_task_dues.
CREATE OR REPLACE FUNCTION tasker._put_off(p_task uuid, p_for interval) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_step uuid[] := array(SELECT s.workflow_step_uuid FROM tasker.workflow_steps s WHERE s.task_uuid = p_task);
BEGIN
  EXECUTE 'UPDATE ' || tasker._queue_table((SELECT t.namespace FROM tasker.tasks t WHERE t.task_uuid = p_task)) || ' q SET vt = $1 WHERE q.msg_id = ANY ($2) AND q.vt <= $3'
    USING v_now + p_for, array(SELECT s.msg_id FROM tasker.workflow_steps s WHERE s.task_uuid = p_task AND s.msg_id IS NOT NULL), v_now;
  UPDATE tasker.step_timers st SET due_at = v_now + p_for WHERE st.workflow_step_uuid = ANY (v_step) AND st.due_at <= v_now;
  UPDATE tasker.queue_timers q SET due_at = v_now + p_for WHERE q.workflow_step_uuid = ANY (v_step) AND q.due_at <= v_now;
  UPDATE tasker.open_tasks o SET due_at = v_now + p_for WHERE o.task_uuid = p_task AND o.due_at <= v_now;
END $$;
