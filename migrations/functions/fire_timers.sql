-- tasker.fire_timers(limit, credit, lease_ms, processor): what time brings: steps whose retry pause has ended go on, tasks whose run_at has come
-- start, tasks past their deadline end, steps that lay in their queue for too long are given up. A blocked or held task gets nothing
-- new: its retries are dropped, reviving it makes new ones. At most `limit` of each kind, and tasks with no more than 10,000 steps together (but one).
-- Several orchestrators may call at once: whoever locks the task first takes the timer. All tasks are locked at once, in uuid order.
-- p_only: of this task alone (fire_apart).
-- Returns 'assign', 'queued', 'timer', 'failed', 'timed_out', 'dead_letter', 'called_off', 'done' rows and one 'next' row (due_at = the earliest timer left, or NULL).
DROP FUNCTION IF EXISTS tasker.fire_timers(int, text[], int[], int, uuid);
CREATE OR REPLACE FUNCTION tasker.fire_timers(p_limit int, p_credit_ns text[], p_credit_n int[], p_lease_ms int, p_processor uuid, p_only uuid DEFAULT NULL)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp(); -- a variable: an index cannot be asked for a volatile function
  v_steps_max constant int := 10000;
  v_task uuid[];  v_step uuid[];  -- retries
  q_task uuid[];  q_step uuid[];  -- in a queue
  o_task uuid[];                  -- tasks
  r_step uuid[];  r_task uuid[];
  s_step uuid[];  s_task uuid[];
BEGIN
  SELECT array_agg(d.task_uuid), array_agg(d.workflow_step_uuid) INTO v_task, v_step
    FROM (SELECT st.task_uuid, st.workflow_step_uuid FROM tasker.step_timers st
           WHERE st.due_at <= v_now AND (p_only IS NULL OR st.task_uuid = p_only) ORDER BY st.due_at LIMIT p_limit) d;
  SELECT array_agg(d.task_uuid), array_agg(d.workflow_step_uuid) INTO q_task, q_step
    FROM (SELECT q.task_uuid, q.workflow_step_uuid FROM tasker.queue_timers q
           WHERE q.due_at <= v_now AND (p_only IS NULL OR q.task_uuid = p_only) ORDER BY q.due_at LIMIT p_limit) d;
  SELECT array_agg(d.task_uuid) INTO o_task
    FROM (SELECT t.task_uuid, sum(t.total_steps) OVER (ORDER BY o.due_at, t.task_uuid) - t.total_steps AS before
            FROM (SELECT x.task_uuid, x.due_at FROM tasker.open_tasks x
                   WHERE x.due_at <= v_now AND (p_only IS NULL OR x.task_uuid = p_only) ORDER BY x.due_at LIMIT p_limit) o
            JOIN tasker.tasks t ON t.task_uuid = o.task_uuid) d
   WHERE d.before < v_steps_max;

  IF v_step IS NOT NULL OR q_step IS NOT NULL OR o_task IS NOT NULL THEN
    PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = ANY (v_task || q_task || o_task) ORDER BY t.task_uuid FOR NO KEY UPDATE;
    IF o_task IS NOT NULL THEN
      RETURN QUERY SELECT r.* FROM tasker._expire_tasks(o_task, v_now, p_processor) r;
      SELECT array_agg(s.step), array_agg(s.task) INTO s_step, s_task FROM tasker._start_tasks(o_task, v_now, p_processor) s;
    END IF;
    WITH del AS (
      DELETE FROM tasker.step_timers st WHERE st.workflow_step_uuid = ANY (v_step) AND st.due_at <= v_now
      RETURNING st.workflow_step_uuid)
    SELECT array_agg(s.workflow_step_uuid), array_agg(s.task_uuid) INTO r_step, r_task
      FROM del
      JOIN tasker.workflow_steps s ON s.workflow_step_uuid = del.workflow_step_uuid AND s.state = 'waiting_for_retry'
      JOIN tasker.tasks t ON t.task_uuid = s.task_uuid AND t.held = 0 AND (t.failed_steps = 0 OR tasker._isolated(s.instance, s.inputs));
    IF r_step IS NOT NULL OR s_step IS NOT NULL THEN
      RETURN QUERY SELECT r.* FROM tasker._dispatch(r_step || s_step, p_credit_ns, p_credit_n, p_lease_ms) r;
      RETURN QUERY SELECT r.* FROM (SELECT array_agg(x.task) AS t, array_agg(0) AS z, array_agg(x.active) AS n, array_agg(-x.retried) AS m
                                      FROM (SELECT u.task, count(*)::int AS active, sum(u.retried)::int AS retried
                                              FROM (SELECT task, 1 AS retried FROM unnest(r_task) task
                                                    UNION ALL SELECT task, 0 FROM unnest(s_task) task) u GROUP BY 1) x) a,
             LATERAL tasker._advance_tasks(a.t, a.z, a.z, a.n, a.m, p_processor) r;
    END IF;
    IF q_step IS NOT NULL THEN
      RETURN QUERY SELECT r.* FROM tasker._give_up(q_step, v_now, p_lease_ms, p_processor) r;
    END IF;
  END IF;
  RETURN NEXT tasker._row('next', NULL, NULL, NULL, NULL, NULL, NULL,
                          least((SELECT st.due_at FROM tasker.step_timers st ORDER BY st.due_at LIMIT 1),
                                (SELECT q.due_at FROM tasker.queue_timers q ORDER BY q.due_at LIMIT 1),
                                (SELECT o.due_at FROM tasker.open_tasks o WHERE o.due_at IS NOT NULL ORDER BY o.due_at LIMIT 1)));
END $$;
