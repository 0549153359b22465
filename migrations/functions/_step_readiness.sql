-- tasker._step_readiness(task, steps): get_step_readiness_status in the types of the tables, for our own functions. Here is the rule, there the contract's words for it.
-- A step held by the window of its batch is not ready. `counted` attempts: hand-overs that were never sent or whose worker was lost are forgiven.
-- Locks: none. Cost: the task's steps and edges. Inlined.
CREATE OR REPLACE FUNCTION tasker._step_readiness(p_task uuid, p_steps uuid[] DEFAULT NULL)
RETURNS TABLE (workflow_step_uuid uuid, task_uuid uuid, named_step_uuid uuid, name text, state tasker.step_state, total_parents int, completed_parents int,
               counted int, max_attempts int, eligible boolean, last_failure_at timestamptz, next_retry_at timestamptz, backoff_s int,
               dispatched_at timestamptz, ready boolean)
LANGUAGE sql STABLE AS $$
  SELECT r.workflow_step_uuid, r.task_uuid, r.named_step_uuid, r.name, r.state, r.total_parents, r.completed_parents,
         r.counted, r.max_attempts::int, r.eligible, r.last_failure_at, r.next_retry_at,
         CASE WHEN r.next_retry_at IS NOT NULL AND r.settled_at IS NOT NULL THEN ceil(extract(epoch FROM r.next_retry_at - r.settled_at))::int END,
         r.dispatched_at,
         r.state IN ('pending', 'waiting_for_retry') AND r.completed_parents = r.total_parents AND r.eligible AND NOT r.no_room
           AND (r.next_retry_at IS NULL OR r.next_retry_at <= clock_timestamp())
    FROM (SELECT s.workflow_step_uuid, s.task_uuid, ts.named_step_uuid, s.name, s.state, s.max_attempts, s.last_failure_at, s.next_retry_at,
                 s.settled_at, s.dispatched_at, s.step_no, s.no_room, p.total_parents, p.completed_parents, s.attempts - s.forgiven AS counted,
                 s.attempts - s.forgiven = 0 OR (s.retryable AND s.attempts - s.forgiven < s.max_attempts) AS eligible
            FROM tasker.workflow_steps s
            JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
            LEFT JOIN LATERAL (SELECT x.named_step_uuid FROM tasker.template_steps x -- OFFSET 0: by key, whatever the statistics
                                WHERE x.digest = t.template_digest AND x.step_no = s.step_no OFFSET 0) ts ON true
            CROSS JOIN LATERAL (SELECT count(*)::int AS total_parents,
                                       (count(*) FILTER (WHERE par.state IN ('complete', 'resolved_manually')))::int AS completed_parents
                                  FROM tasker.workflow_step_edges e
                                  JOIN tasker.workflow_steps par ON par.workflow_step_uuid = e.from_step_uuid
                                 WHERE e.to_step_uuid = s.workflow_step_uuid) p
           WHERE s.task_uuid = p_task AND (p_steps IS NULL OR s.workflow_step_uuid = ANY (p_steps))) r
   ORDER BY r.task_uuid, r.workflow_step_uuid
$$;
