-- tasker._give_up(steps, now, lease_ms, processor): steps that no worker took in time. Each has an attempt of its own for it, that nobody made,
-- with a failure of type queue_timeout; settle_steps does with it what it does with any: an error of the step, a batch that goes on without it, or (on_queue_timeout: cancel) the
-- end of the task. That attempt is not counted, unless the step is tried again (on_queue_timeout: retry): these are as many as others, and pauses are between them.
-- Returns per step one 'timed_out' row (step_name: 'queue'), and what settle_steps and _publish_settled return.
-- Locks: the caller holds the task rows. Writes: queue_timers, what settle_steps does, and the steps' durable failure events.
CREATE OR REPLACE FUNCTION tasker._give_up(p_step uuid[], p_now timestamptz, p_lease_ms int, p_processor uuid) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  g_step uuid[];  g_task uuid[];  g_att int[];  g_msg bigint[];  g_result text[];  g_again boolean[];
  e_step uuid[] := '{}';  e_how text[] := '{}';
  v_row  tasker.engine_row;
BEGIN
  WITH del AS (
    DELETE FROM tasker.queue_timers q WHERE q.workflow_step_uuid = ANY (p_step) AND q.due_at <= p_now RETURNING q.workflow_step_uuid
  ), upd AS (
    UPDATE tasker.workflow_steps s SET state = 'in_progress', attempts = s.attempts + 1, forgiven = s.forgiven + CASE WHEN due.again THEN 0 ELSE 1 END, updated_at = p_now
      FROM (SELECT x.workflow_step_uuid, coalesce(ts.on_queue_timeout = 'retry', false) AS again
              FROM del x
              JOIN tasker.workflow_steps w ON w.workflow_step_uuid = x.workflow_step_uuid
              JOIN tasker.tasks t ON t.task_uuid = w.task_uuid
              LEFT JOIN tasker.template_steps ts ON ts.digest = t.template_digest AND ts.step_no = w.step_no) due
     WHERE s.workflow_step_uuid = due.workflow_step_uuid AND s.state = 'enqueued'
    RETURNING s.workflow_step_uuid, s.task_uuid, s.attempts, s.msg_id, due.again,
              format('no worker took it within %s s (queue_timeout_seconds)', s.queue_timeout_ms / 1000) AS reason
  ), history AS (
    INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor, reason)
    SELECT workflow_step_uuid, task_uuid, 'enqueued', 'in_progress', attempts, p_now, 'timer', reason FROM upd
  )
  SELECT array_agg(u.workflow_step_uuid), array_agg(u.task_uuid), array_agg(u.attempts), array_agg(u.msg_id),
         array_agg(tasker._failure_result(u.workflow_step_uuid, 'queue_timeout', u.reason, u.again, p_now)::text),
         array_agg(u.again)
    INTO g_step, g_task, g_att, g_msg, g_result, g_again FROM upd u;
  IF g_step IS NULL THEN RETURN; END IF;
  RETURN QUERY SELECT (tasker._row('timed_out', NULL, u.step, u.task, NULL, NULL, 'queue', NULL)).* FROM unnest(g_step, g_task) u(step, task);
  FOR v_row IN SELECT * FROM tasker.settle_steps(
    g_step, g_task, g_att, g_msg, array_fill(false, ARRAY[cardinality(g_step)]), g_again,
    array_fill(-1, ARRAY[cardinality(g_step)]), g_result, array_fill(NULL::text, ARRAY[cardinality(g_step)]), array_fill(0, ARRAY[cardinality(g_step)]),
    '{}', '{}', p_lease_ms, p_processor)
  LOOP
    IF v_row.kind IN ('settled', 'retry', 'failed') THEN -- as it was settled: another step of these may have ended its task right after
      e_step := e_step || v_row.step_uuid;
      e_how := e_how || CASE v_row.kind WHEN 'retry' THEN 'retryable_failure' ELSE 'permanent_failure' END;
    END IF;
    RETURN NEXT v_row;
  END LOOP;
  RETURN QUERY SELECT r.* FROM tasker._publish_settled(e_step, e_how) r;
END $$;
