-- tasker.get_task_execution_context(task): counts over the task's steps and what they mean, by the first rule that matches:
-- an error blocks; ready steps; work in flight; all complete; else waiting. No row for an unknown task. Locks: none.
CREATE OR REPLACE FUNCTION tasker.get_task_execution_context(p_task uuid)
RETURNS TABLE (task_uuid uuid, named_task_uuid uuid, status text, total_steps bigint, pending_steps bigint, in_progress_steps bigint,
               enqueued_steps bigint, completed_steps bigint, failed_steps bigint, ready_steps bigint, execution_status text,
               recommended_action text, completion_percentage numeric, health_status text)
LANGUAGE sql STABLE AS $$
  SELECT t.task_uuid, t.named_task_uuid, t.state::text, c.total, c.pending, c.running, c.enqueued, c.done, c.failed, c.ready, x.status,
         CASE x.status WHEN 'blocked_by_failures' THEN 'handle_failures' WHEN 'has_ready_steps' THEN 'execute_ready_steps'
                       WHEN 'processing' THEN 'wait_for_completion' WHEN 'all_complete' THEN 'finalize_task' ELSE 'wait_for_dependencies' END,
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
    CROSS JOIN LATERAL (SELECT CASE WHEN c.failed > 0 THEN 'blocked_by_failures'
                                    WHEN c.ready > 0 THEN 'has_ready_steps'
                                    WHEN c.running + c.enqueued > 0 THEN 'processing'
                                    WHEN c.total > 0 AND c.done = c.total THEN 'all_complete'
                                    ELSE 'waiting_for_dependencies' END AS status) x
   WHERE t.task_uuid = p_task
$$;
