-- tasker.get_next_ready_tasks(limit): open tasks that hold ready steps nobody dispatched. In a healthy system dispatch happens in
-- the transaction that makes a step ready, so this is empty; the sweeper and people look here. Of a task that has failed only isolated instances count. Readiness is known before the
-- limit cuts, and age raises priority without end, so nothing starves at the head.
CREATE OR REPLACE FUNCTION tasker.get_next_ready_tasks(p_limit int DEFAULT 5)
RETURNS TABLE (task_uuid uuid, task_name text, priority int, namespace_name text, ready_steps_count bigint, computed_priority float8, current_state text)
LANGUAGE sql STABLE AS $$
  SELECT t.task_uuid, nt.name, t.priority, t.namespace, r.n, t.priority + 0.1 * extract(epoch FROM clock_timestamp() - t.created_at)::float8 / 3600, t.state::text
    FROM tasker.open_tasks o
    JOIN tasker.tasks t ON t.task_uuid = o.task_uuid AND t.held = 0
    JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid
    CROSS JOIN LATERAL (SELECT count(*) AS n FROM tasker.get_step_readiness_status(t.task_uuid) s WHERE s.ready_for_execution
                           AND (t.failed_steps = 0 OR (SELECT tasker._isolated(w.instance, w.inputs) FROM tasker.workflow_steps w WHERE w.workflow_step_uuid = s.workflow_step_uuid))) r
   WHERE r.n > 0
   ORDER BY 6 DESC, t.task_uuid
   LIMIT p_limit
$$;
