-- tasker.task_timeline(task): where a task's time went, attempt by attempt; NULL for an unknown task. Times are milliseconds after the
-- task was created, by the database's clock; handler_ms is the worker's own.
--   {task_uuid, name, status, created_at, total_ms (NULL while it moves), attempts: [{step, attempt, ready_ms, dispatched_ms, settled_ms,
--    handler_ms, outcome, worker}]}, in the order of dispatch. ready_ms: when its last parent, or its attempt before, was settled (a pause
-- before a retry counts as waiting). An attempt under way has no settled_ms. Locks: none.
CREATE OR REPLACE FUNCTION tasker.task_timeline(p_task uuid) RETURNS json
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    WITH task AS (
      SELECT t.task_uuid, t.state, t.created_at, t.completed_at, nt.name
        FROM tasker.tasks t JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid WHERE t.task_uuid = p_task
    ), begun AS (
      SELECT s.workflow_step_uuid AS step, s.name, s.step_no, h.attempt, h.at AS dispatched_at
        FROM tasker.workflow_steps s
        JOIN tasker.workflow_step_transitions h ON h.workflow_step_uuid = s.workflow_step_uuid AND h.to_state = 'in_progress'
       WHERE s.task_uuid = p_task
    ), attempt AS (
      SELECT b.*, e.at AS settled_at, e.to_state AS outcome,
             coalesce((SELECT max(p.at) FROM tasker.workflow_step_transitions p
                        WHERE p.workflow_step_uuid = b.step AND p.attempt = b.attempt - 1 AND p.from_state = 'in_progress'),
                      (SELECT max(d.settled_at) FROM tasker.workflow_step_edges w JOIN tasker.workflow_steps d ON d.workflow_step_uuid = w.from_step_uuid
                        WHERE w.to_step_uuid = b.step),
                      (SELECT task.created_at FROM task)) AS ready_at,
             r.execution_time_ms, r.worker_id
        FROM begun b
        LEFT JOIN LATERAL (SELECT h.at, h.to_state FROM tasker.workflow_step_transitions h
                            WHERE h.workflow_step_uuid = b.step AND h.attempt = b.attempt AND h.from_state = 'in_progress' ORDER BY h.at LIMIT 1) e ON true
        LEFT JOIN tasker.step_results r ON r.workflow_step_uuid = b.step AND r.attempt = b.attempt
    )
    SELECT json_build_object(
             'task_uuid', task.task_uuid, 'name', task.name, 'status', task.state, 'created_at', tasker.time_text(task.created_at, 'zoned'),
             'total_ms', tasker._ms(task.created_at, task.completed_at),
             'attempts', coalesce((SELECT json_agg(json_build_object(
                 'step', a.name, 'attempt', a.attempt, 'ready_ms', tasker._ms(task.created_at, a.ready_at),
                 'dispatched_ms', tasker._ms(task.created_at, a.dispatched_at), 'settled_ms', tasker._ms(task.created_at, a.settled_at),
                 'handler_ms', a.execution_time_ms, 'outcome', a.outcome, 'worker', a.worker_id) ORDER BY a.dispatched_at, a.step_no)
               FROM attempt a), '[]'::json))
      FROM task);
END $$;
