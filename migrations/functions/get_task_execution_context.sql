-- tasker.get_task_execution_context(task): counts over the task's steps and what they mean (tasker._execution_status). No row for an
-- unknown task. Locks: none.
CREATE OR REPLACE FUNCTION tasker.get_task_execution_context(p_task uuid)
RETURNS TABLE (task_uuid uuid, named_task_uuid uuid, status text, total_steps bigint, pending_steps bigint, in_progress_steps bigint,
               enqueued_steps bigint, completed_steps bigint, failed_steps bigint, ready_steps bigint, execution_status text,
               recommended_action text, completion_percentage numeric, health_status text)
LANGUAGE sql STABLE AS $$
  SELECT t.task_uuid, t.named_task_uuid, t.state::text, c.total, c.pending, c.running, c.enqueued, c.done, c.failed, c.ready, x.status,
         tasker._recommended_action(x.status),
         CASE WHEN c.total = 0 THEN 0::numeric ELSE round(100.0 * c.done / c.total, 2) END,
         CASE WHEN c.failed > 0 THEN 'blocked' ELSE 'healthy' END
    FROM tasker.tasks t
    CROSS JOIN LATERAL (SELECT count(*) AS total,
                               count(*) FILTER (WHERE r.current_state = 'pending') AS pending,
                               count(*) FILTER (WHERE r.current_state = 'in_progress') AS running,
                               count(*) FILTER (WHERE r.current_state LIKE 'enqueued%') AS enqueued,
                               count(*) FILTER (WHERE r.current_state IN ('complete', 'resolved_manually')) AS done,
                               count(*) FILTER (WHERE r.current_state = 'error') AS failed,
                               count(*) FILTER (WHERE r.ready_for_execution) AS ready
                          FROM tasker.get_step_readiness_status(t.task_uuid) r) c
    CROSS JOIN LATERAL (SELECT tasker._execution_status(c.total, c.done, c.failed, c.ready, c.running + c.enqueued) AS status) x
   WHERE t.task_uuid = p_task
$$;
