-- tasker._staleness(tasks, limits, served): judges open tasks: how long has nothing of each moved, and is that too long?
--   limits: minutes {waiting for dependencies, waiting for retry, steps in process, lifetime (0: none), since the last checkpoint}; the
--     like-named keys of a template's lifecycle win, a state without a limit has a day.
--   served: namespaces with a connected worker.
-- Returns per task: since when nothing moved (the end of a pause before a retry counts as a move), whole minutes of it and of its
-- age, its threshold, what is wrong (reason), what its template wants done (action: dlq, error, none), and
--   health  'healthy', 'warning' from 80 % of the threshold, 'stale' from the threshold or the lifetime on
--   spared  why it is healthy however long it stands still: it is held, blocked (a person's turn, and its entry is there), a step
--           left a checkpoint lately, all it has lies in the queue of workers that are busy, or it waits for another task, which is
--           judged itself. NULL: it is judged.
-- The lifetime counts from when a task really started, which for one with a run_at may be before (a person started it) or after (nobody was there to do it),
-- and from the last time an investigation ended, so that what was revived has it again. Locks: none.
CREATE OR REPLACE FUNCTION tasker._staleness(p_tasks uuid[], p_limits int[], p_served text[])
RETURNS TABLE (task_uuid uuid, namespace text, named_task_uuid uuid, state tasker.task_state, priority int, since timestamptz, minutes int, age int,
               threshold int, reason tasker.dlq_reason, action text, health text, spared text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_day  constant int := 1440;
BEGIN
  RETURN QUERY
  WITH t AS (
    SELECT x.* FROM unnest(p_tasks) u(task) JOIN tasker.tasks x ON x.task_uuid = u.task
  ), lifecycle AS ( -- a template's body is large: looked at once for all its tasks
    SELECT tp.digest, tp.body -> 'lifecycle' AS keys FROM tasker.templates tp WHERE tp.digest IN (SELECT t.template_digest FROM t)
  ), looked AS (
    SELECT t.task_uuid, t.namespace, t.named_task_uuid, t.state, t.priority, t.held, t.created_at,
           greatest(t.created_at, t.updated_at, s.moved_at) AS since,
           greatest(t.created_at, coalesce(t.started_at, t.run_at), (SELECT max(d.resolution_timestamp) FROM tasker.dead_letters d WHERE d.task_uuid = t.task_uuid)) AS born,
           coalesce(CASE t.state WHEN 'waiting_for_dependencies' THEN (l.keys ->> 'max_waiting_for_dependencies_minutes')::int
                                 WHEN 'waiting_for_retry' THEN (l.keys ->> 'max_waiting_for_retry_minutes')::int
                                 WHEN 'steps_in_process' THEN (l.keys ->> 'max_steps_in_process_minutes')::int END,
                    CASE t.state WHEN 'waiting_for_dependencies' THEN p_limits[1] WHEN 'waiting_for_retry' THEN p_limits[2]
                                 WHEN 'steps_in_process' THEN p_limits[3] END, v_day) AS threshold,
           coalesce(l.keys ->> 'staleness_action', 'dlq') AS action,
           s.delegated AND t.active_steps = 0 AS delegated, t.active_steps > 0 AND NOT s.running AS queued, s.checkpointed_at > v_now - p_limits[5] * interval '1 minute' AS checkpointed
      FROM t
      LEFT JOIN lifecycle l ON l.digest = t.template_digest
      CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(s.state = 'in_progress'), false) AS running,
               coalesce(bool_or(s.state = 'enqueued_for_orchestration'), false) AS delegated, max(greatest(s.updated_at, s.next_retry_at)) AS moved_at,
               max(s.updated_at) FILTER (WHERE s.state = 'in_progress' AND s.checkpoint IS NOT NULL) AS checkpointed_at
          FROM tasker.workflow_steps s
         WHERE s.task_uuid = t.task_uuid AND s.state IN ('pending', 'enqueued', 'in_progress', 'enqueued_for_orchestration', 'waiting_for_retry')) s
  ), judged AS (
    SELECT k.*, greatest(0, floor(extract(epoch FROM v_now - k.since) / 60))::int AS minutes, floor(extract(epoch FROM v_now - k.created_at) / 60)::int AS age,
           (CASE WHEN k.queued AND NOT k.namespace = ANY (p_served) THEN 'worker_unavailable' ELSE 'staleness_timeout' END)::tasker.dlq_reason AS reason,
           p_limits[4] > 0 AND k.born <= v_now - p_limits[4] * interval '1 minute' AS old,
           CASE WHEN k.held <> 0 THEN 'it is held' WHEN k.state = 'blocked_by_failures' THEN 'it is blocked' WHEN k.checkpointed THEN 'it left a checkpoint lately'
                WHEN k.queued AND k.namespace = ANY (p_served) THEN 'it waits for workers that are busy'
                WHEN k.delegated THEN 'it waits for another task' END AS spared
      FROM looked k
  )
  SELECT j.task_uuid, j.namespace, j.named_task_uuid, j.state, j.priority, j.since, j.minutes, j.age, j.threshold, j.reason, j.action,
         CASE WHEN j.spared IS NOT NULL THEN 'healthy' WHEN j.minutes >= j.threshold OR j.old THEN 'stale' WHEN j.minutes >= 0.8 * j.threshold THEN 'warning'
              ELSE 'healthy' END, j.spared
    FROM judged j;
END $$;
