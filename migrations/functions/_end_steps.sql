-- tasker._end_steps(task, actor, reason, keep_failed): cancels every step of a task that has not ended, with its message and
-- timer, and leaves the task's counters right; p_keep_failed: failed steps stay failed, they are the reason of the end.
-- Returns the steps that were in progress: their workers are to be told.
-- Locks: the caller holds the task row. Writes: workflow_steps, history, PGMQ, step_timers, queue_timers, tasks.
CREATE OR REPLACE FUNCTION tasker._end_steps(p_task uuid, p_actor text, p_reason text, p_keep_failed boolean)
RETURNS TABLE (step_uuid uuid, attempt int) LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  c_step uuid[];  c_from tasker.step_state[];  c_att smallint[];  c_msg bigint[];
BEGIN
  SELECT array_agg(s.workflow_step_uuid), array_agg(s.state), array_agg(s.attempts), array_agg(s.msg_id) INTO c_step, c_from, c_att, c_msg
    FROM tasker.workflow_steps s
   WHERE s.task_uuid = p_task AND s.state NOT IN ('complete', 'cancelled', 'resolved_manually') AND NOT (p_keep_failed AND s.state = 'error');
  UPDATE tasker.workflow_steps s SET state = 'cancelled', settled_at = v_now, updated_at = v_now, next_retry_at = NULL, msg_id = NULL
   WHERE s.workflow_step_uuid = ANY (c_step);
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor, reason)
  SELECT c.step, p_task, c.was, 'cancelled', c.att, v_now, p_actor, p_reason FROM unnest(c_step, c_from, c_att) c(step, was, att);
  IF c_step IS NOT NULL THEN
    PERFORM tasker._delete_messages(array_fill((SELECT t.namespace FROM tasker.tasks t WHERE t.task_uuid = p_task), ARRAY[cardinality(c_msg)]), c_msg);
    WITH retries AS (DELETE FROM tasker.step_timers st WHERE st.workflow_step_uuid = ANY (c_step))
    DELETE FROM tasker.queue_timers q WHERE q.workflow_step_uuid = ANY (c_step);
  END IF;
  UPDATE tasker.tasks t
     SET open_steps = left_over.failed, failed_steps = left_over.failed, active_steps = 0, retry_steps = 0
    FROM (SELECT count(*)::int AS failed FROM tasker.workflow_steps s WHERE s.task_uuid = p_task AND s.state = 'error') left_over
   WHERE t.task_uuid = p_task;
  RETURN QUERY SELECT c.step, c.att::int FROM unnest(c_step, c_from, c_att) c(step, was, att) WHERE c.was = 'in_progress';
END $$;
