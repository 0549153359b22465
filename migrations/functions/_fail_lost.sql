-- tasker._fail_lost(steps, attempts, messages, namespaces, processor): steps whose worker was lost and that must not run
-- again become errors with a stored result of type worker_lost. Returns 'failed' and 'done' rows, those of _publish_settled; one of an isolated batch lets the next one go: 'queued'.
-- Locks: the caller holds the task rows. Writes: workflow_steps, step_results, history, tasks, PGMQ.
CREATE OR REPLACE FUNCTION tasker._fail_lost(p_step uuid[], p_attempt int[], p_msg bigint[], p_ns text[], p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_task uuid[];
  v_batch uuid[];  v_room uuid[];
BEGIN
  WITH upd AS (
    UPDATE tasker.workflow_steps s
       SET state = 'error', losses = s.losses + 1, settled_at = v_now, last_failure_at = v_now, updated_at = v_now, msg_id = NULL
      FROM unnest(p_step) u(step) WHERE s.workflow_step_uuid = u.step
    RETURNING s.workflow_step_uuid, s.task_uuid, s.attempts, s.losses, s.retryable, s.instance
  ), res AS (
    INSERT INTO tasker.step_results (workflow_step_uuid, attempt, task_uuid, success, worker_id, result, recorded_at)
    SELECT u.workflow_step_uuid, u.attempts, u.task_uuid, false, NULL,
           tasker._failure_result(u.workflow_step_uuid, 'worker_lost',
             CASE WHEN u.retryable THEN 'worker lost ' || u.losses || ' times while running this step'
                  ELSE 'worker lost while running this step, which must not run twice (retryable: false)' END, false, v_now), v_now
      FROM upd u
    ON CONFLICT DO NOTHING
  ), tr AS (
    INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, reason)
    SELECT u.workflow_step_uuid, u.task_uuid, 'in_progress', 'error', u.attempts, v_now, 'worker lost' FROM upd u
  )
  SELECT array_agg(u.task_uuid), array_agg(u.workflow_step_uuid) FILTER (WHERE u.instance > 0) INTO v_task, v_batch FROM upd u;
  RETURN QUERY SELECT r.* FROM tasker._publish_failures(p_step) r;
  PERFORM tasker._delete_messages(p_ns, p_msg);
  RETURN QUERY SELECT (tasker._row('failed', NULL, u.step, NULL, u.att, NULL, NULL, NULL)).* FROM unnest(p_step, p_attempt) u(step, att);
  RETURN QUERY SELECT r.* FROM (SELECT array_agg(x.task) AS t, array_agg(0) AS z, array_agg(x.n) AS n, array_agg(-x.n) AS m
                                  FROM (SELECT u.task, count(*)::int AS n FROM unnest(v_task) u(task) GROUP BY 1) x) a,
         LATERAL tasker._advance_tasks(a.t, a.z, a.n, a.m, a.z, p_processor) r;
  IF v_batch IS NOT NULL THEN
    v_room := array(SELECT tasker._make_room(v_batch, array_fill('error'::tasker.step_state, ARRAY[cardinality(v_batch)])));
    RETURN QUERY SELECT r.* FROM (SELECT s.task_uuid, array_agg(s.workflow_step_uuid) AS steps FROM tasker.workflow_steps s
                                   WHERE s.workflow_step_uuid = ANY (v_room) GROUP BY 1) x, LATERAL tasker._set_going(x.task_uuid, x.steps, p_processor) r;
  END IF;
END $$;
