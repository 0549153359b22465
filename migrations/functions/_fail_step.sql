-- tasker._fail_step(step, why, processor): a step that nobody can hand over or settle becomes a failure for good, of type engine_error, as if its worker had said so: an
-- error of the step, or a batch that goes on without it. One that no worker has gets an attempt of its own for it, which is not counted.
-- Returns what settle_steps and _publish_failures return; nothing when the step is over.
-- Locks: the caller holds the task row. Writes: step_timers, queue_timers, what settle_steps does, and the step's durable failure events.
CREATE OR REPLACE FUNCTION tasker._fail_step(p_step uuid, p_why text, p_processor uuid) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v     record;
BEGIN
  UPDATE tasker.workflow_steps s
     SET state = 'in_progress', msg_id = coalesce(s.msg_id, 0), next_retry_at = NULL, updated_at = v_now,
         attempts = least(s.attempts::int + own.n, 32767), forgiven = least(s.forgiven::int + own.n, 32767)
    FROM tasker.workflow_steps was CROSS JOIN LATERAL (SELECT CASE WHEN was.state IN ('enqueued', 'waiting_for_retry') THEN 1 ELSE 0 END AS n) own
   WHERE s.workflow_step_uuid = p_step AND was.workflow_step_uuid = p_step
     AND was.state IN ('enqueued', 'in_progress', 'waiting_for_retry', 'enqueued_for_orchestration')
  RETURNING s.task_uuid, s.attempts, s.msg_id, was.state INTO v;
  IF NOT FOUND THEN RETURN; END IF;
  IF v.state <> 'in_progress' THEN
    INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor, reason)
    VALUES (p_step, v.task_uuid, v.state, 'in_progress', v.attempts, v_now, 'orchestrator', p_why);
  END IF;
  UPDATE tasker.tasks t SET active_steps = t.active_steps + 1, retry_steps = t.retry_steps - CASE v.state WHEN 'waiting_for_retry' THEN 1 ELSE 0 END
   WHERE t.task_uuid = v.task_uuid AND v.state IN ('waiting_for_retry', 'enqueued_for_orchestration');
  DELETE FROM tasker.step_timers st WHERE st.workflow_step_uuid = p_step;
  DELETE FROM tasker.queue_timers q WHERE q.workflow_step_uuid = p_step;
  RETURN QUERY SELECT r.* FROM tasker.settle_steps(
    ARRAY[p_step], ARRAY[v.task_uuid], ARRAY[v.attempts::int], ARRAY[v.msg_id], ARRAY[false], ARRAY[false], ARRAY[-1],
    ARRAY[tasker._failure_result(p_step, 'engine_error', p_why, false, v_now)::text],
    ARRAY['orchestrator'], ARRAY[0], '{}', '{}', 0, p_processor) r;
  RETURN QUERY SELECT r.* FROM tasker._publish_failures(ARRAY[p_step]) r;
END $$;
