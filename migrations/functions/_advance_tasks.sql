-- tasker._advance_tasks(tasks, deltas…, processor): applies counter changes to locked tasks and lets their state follow, in
-- one UPDATE per task. Writes history, leaves open_tasks when a task has ended, and enters one that was blocked in the dead-letter queue.
-- Returns 'done' rows (task_uuid, new state in step_name) for tasks whose state changed, and 'dead_letter' rows.
-- Locks: the caller holds the task rows. Writes: tasks, task_transitions, open_tasks, dead_letters.
CREATE OR REPLACE FUNCTION tasker._advance_tasks(p_task uuid[], p_open int[], p_failed int[], p_active int[], p_retry int[],
                                                 p_processor uuid) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_task uuid[];
  v_from tasker.task_state[];
  v_to   tasker.task_state[];
BEGIN
  WITH d AS (
    SELECT u.task, t.state AS was, u.o, u.f, u.a, u.r,
           tasker._task_state(t.open_steps + u.o, t.failed_steps + u.f, t.active_steps + u.a, t.retry_steps + u.r) AS becomes
      FROM unnest(p_task, p_open, p_failed, p_active, p_retry) u(task, o, f, a, r)
      JOIN tasker.tasks t ON t.task_uuid = u.task
  ), upd AS (
    UPDATE tasker.tasks t
       SET open_steps = t.open_steps + d.o, failed_steps = t.failed_steps + d.f, active_steps = t.active_steps + d.a,
           retry_steps = t.retry_steps + d.r, state = d.becomes, updated_at = v_now,
           completed_at = CASE WHEN d.becomes = 'complete' THEN v_now ELSE t.completed_at END
      FROM d WHERE t.task_uuid = d.task
    RETURNING d.task, d.was, d.becomes
  )
  SELECT array_agg(task), array_agg(was), array_agg(becomes) INTO v_task, v_from, v_to FROM upd WHERE was <> becomes;
  IF v_task IS NULL THEN RETURN; END IF;

  INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid)
  SELECT x.t, x.f, x.s, v_now, p_processor FROM unnest(v_task, v_from, v_to) x(t, f, s);
  DELETE FROM tasker.open_tasks o
   USING unnest(v_task, v_to) x(t, s) WHERE o.task_uuid = x.t AND x.s = 'complete';
  IF 'blocked_by_failures' = ANY (v_to) THEN
    RETURN QUERY SELECT r.* FROM (SELECT array_agg(x.t) AS t, array_agg('max_retries_exceeded'::tasker.dlq_reason) AS why,
                                         array_agg('{"detection_method": "blocked_by_failures", "time_in_state_minutes": 0}'::jsonb) AS found
                                    FROM unnest(v_task, v_to) x(t, s) WHERE x.s = 'blocked_by_failures') b,
                 LATERAL tasker._dead_letters(b.t, b.why, b.found) r;
  END IF;
  RETURN QUERY SELECT (tasker._row('done', NULL, NULL, x.t, NULL, NULL, x.s::text, NULL)).* FROM unnest(v_task, v_to) x(t, s);
END $$;
