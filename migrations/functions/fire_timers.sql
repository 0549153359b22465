-- tasker.fire_timers(limit, credit, lease_ms, processor): dispatches steps whose retry pause has ended. A blocked or held task gets
-- nothing new: its timers are dropped, reviving it makes new ones. Several orchestrators may call at once: whoever locks the
-- task first takes the timer.
-- Returns 'assign', 'queued', 'done' rows and one 'next' row (due_at = the earliest timer left, or NULL).
CREATE OR REPLACE FUNCTION tasker.fire_timers(p_limit int, p_credit_ns text[], p_credit_n int[], p_lease_ms int, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp(); -- a variable: an index cannot be asked for a volatile function
  v_task uuid[];  v_step uuid[];
  r_step uuid[];  r_task uuid[];
BEGIN
  SELECT array_agg(d.task_uuid), array_agg(d.workflow_step_uuid) INTO v_task, v_step
    FROM (SELECT st.task_uuid, st.workflow_step_uuid FROM tasker.step_timers st WHERE st.due_at <= v_now ORDER BY st.due_at LIMIT p_limit) d;
  IF v_step IS NOT NULL THEN
    PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = ANY (v_task) ORDER BY t.task_uuid FOR NO KEY UPDATE;
    WITH del AS (
      DELETE FROM tasker.step_timers st WHERE st.workflow_step_uuid = ANY (v_step) AND st.due_at <= v_now
      RETURNING st.workflow_step_uuid)
    SELECT array_agg(s.workflow_step_uuid), array_agg(s.task_uuid) INTO r_step, r_task
      FROM del
      JOIN tasker.workflow_steps s ON s.workflow_step_uuid = del.workflow_step_uuid AND s.state = 'waiting_for_retry'
      JOIN tasker.tasks t ON t.task_uuid = s.task_uuid AND t.failed_steps = 0 AND t.held = 0;
    IF r_step IS NOT NULL THEN
      RETURN QUERY SELECT r.* FROM tasker._dispatch(r_step, p_credit_ns, p_credit_n, p_lease_ms) r;
      RETURN QUERY SELECT r.* FROM (SELECT array_agg(x.task) AS t, array_agg(0) AS z, array_agg(x.n) AS n, array_agg(-x.n) AS m
                                      FROM (SELECT u.task, count(*)::int AS n FROM unnest(r_task) u(task) GROUP BY 1) x) a,
             LATERAL tasker._advance_tasks(a.t, a.z, a.z, a.n, a.m, p_processor) r;
    END IF;
  END IF;
  RETURN NEXT tasker._row('next', NULL, NULL, NULL, NULL, NULL, NULL, (SELECT min(st.due_at) FROM tasker.step_timers st));
END $$;
