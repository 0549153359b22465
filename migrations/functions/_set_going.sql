-- tasker._set_going(task, changed steps, processor): after steps of a task were changed by hand: counts anew what depends on them,
-- dispatches everything that is ready now and was not before, sets missing retry timers, and lets the task follow. A task that has
-- a failed step or is held gets nothing new; one that has failed lets isolated batches go on. What is dispatched goes through the queue: nobody reserved credit for it, and it is rare.
-- Returns 'queued', 'timer' (due_at: the earliest set; of a task that was opened again its deadline too) and 'done' rows.
-- Locks: the caller holds the task row. Writes: workflow_steps, step_timers, tasks, open_tasks, history, PGMQ.
CREATE OR REPLACE FUNCTION tasker._set_going(p_task uuid, p_changed uuid[], p_processor uuid) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_now    timestamptz := clock_timestamp();
  v_held   boolean;
  v_failed boolean;
  v_due    timestamptz;
  v_ready  uuid[];
BEGIN
  -- The changed steps themselves and their children; nobody else has another number of unmet parents now.
  UPDATE tasker.workflow_steps s SET unmet_parents = u.unmet, updated_at = v_now
    FROM (SELECT c.step, (SELECT count(*)::int FROM tasker.workflow_step_edges e JOIN tasker.workflow_steps p ON p.workflow_step_uuid = e.from_step_uuid
                           WHERE e.to_step_uuid = c.step AND p.state NOT IN ('complete', 'resolved_manually')) + (SELECT x.no_room::int FROM tasker.workflow_steps x
                                 WHERE x.workflow_step_uuid = c.step) AS unmet
            FROM (SELECT unnest(p_changed) AS step
                  UNION SELECT e.to_step_uuid FROM unnest(p_changed) x(step) JOIN tasker.workflow_step_edges e ON e.from_step_uuid = x.step) c) u
   WHERE s.workflow_step_uuid = u.step AND s.state = 'pending' AND s.unmet_parents <> u.unmet;

  SELECT t.held <> 0, EXISTS (SELECT 1 FROM tasker.workflow_steps s WHERE s.task_uuid = p_task AND s.state = 'error') INTO v_held, v_failed
    FROM tasker.tasks t WHERE t.task_uuid = p_task;
  IF NOT v_held THEN
    WITH ins AS (
      INSERT INTO tasker.step_timers (workflow_step_uuid, task_uuid, due_at)
      SELECT s.workflow_step_uuid, p_task, coalesce(s.next_retry_at, v_now)
        FROM tasker.workflow_steps s WHERE s.task_uuid = p_task AND s.state = 'waiting_for_retry' AND (NOT v_failed OR tasker._isolated(s.instance, s.inputs))
      ON CONFLICT DO NOTHING RETURNING due_at)
    SELECT min(due_at) INTO v_due FROM ins;
    v_ready := array(SELECT s.workflow_step_uuid FROM tasker.workflow_steps s
                      WHERE s.task_uuid = p_task AND s.state = 'pending' AND s.unmet_parents = 0
                        AND (NOT v_failed OR tasker._isolated(s.instance, s.inputs)) ORDER BY s.step_no);
    RETURN QUERY SELECT r.* FROM tasker._dispatch(v_ready, '{}', '{}', 0) r;
  END IF;
  v_due := least(v_due, (SELECT o.due_at FROM tasker.open_tasks o JOIN tasker.tasks t ON t.task_uuid = o.task_uuid
                          WHERE o.task_uuid = p_task AND t.state IN ('complete', 'error'))); -- its state follows below: nobody knew of it while it was over
  IF v_due IS NOT NULL THEN
    RETURN NEXT tasker._row('timer', NULL, NULL, p_task, NULL, NULL, NULL, v_due);
  END IF;

  RETURN QUERY SELECT r.*
    FROM (SELECT (count(*) FILTER (WHERE s.state NOT IN ('complete', 'resolved_manually', 'cancelled')))::int AS open,
                 (count(*) FILTER (WHERE s.state = 'error'))::int AS failed,
                 (count(*) FILTER (WHERE s.state IN ('enqueued', 'in_progress')))::int AS active,
                 (count(*) FILTER (WHERE s.state = 'waiting_for_retry'))::int AS retry
            FROM tasker.workflow_steps s WHERE s.task_uuid = p_task) c,
         tasker.tasks t,
         LATERAL tasker._advance_tasks(ARRAY[p_task], ARRAY[c.open - t.open_steps], ARRAY[c.failed - t.failed_steps],
                                       ARRAY[c.active - t.active_steps], ARRAY[c.retry - t.retry_steps], p_processor) r
   WHERE t.task_uuid = p_task;
END $$;
