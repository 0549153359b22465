-- tasker.task_timeline(task): where a task's time went, attempt by attempt; NULL for an unknown task. Times are milliseconds after the
-- task was created, by the database's clock; handler_ms is the worker's own.
--   {task_uuid, name, status, message, created_at, run_at, deadline, accepted_ms, total_ms (NULL while it moves), attempts: [{step, attempt, ready_ms, dispatched_ms,
--    settled_ms, handler_ms, outcome, worker, stages}]}, in the order of dispatch. ready_ms: when its last parent, or its attempt before, was
-- settled, or when the task might start (a pause before a retry counts as waiting). An attempt under way has no settled_ms;
-- one that waits for a sub-task is under way until that has ended. accepted_ms: when the request was accepted, by
-- the clock of the orchestrator that made the task's UUID (v7, so in whole milliseconds); NULL for another UUID.
-- stages, or NULL: {committed_ms, received_ms, permit_ms, handled_ms, returned_ms, worker_clock_ms: [least, most]}: the commit that assigned it and
-- the return of its result by the orchestrator's clock; arrival, permit and end of the handler by the worker's. Nothing arrives before it was sent,
-- so the worker's clock is ahead of the orchestrator's by worker_clock_ms; where 0 is not between them its times are moved by the nearer.
-- Locks: none.
CREATE OR REPLACE FUNCTION tasker.task_timeline(p_task uuid) RETURNS json
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    WITH task AS (
      SELECT t.task_uuid, t.state, t.created_at, t.completed_at, t.run_at, t.started_at, t.deadline, t.message, nt.name
        FROM tasker.tasks t JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid WHERE t.task_uuid = p_task
    ), begun AS (
      SELECT s.workflow_step_uuid AS step, s.name, s.step_no, h.attempt, h.at AS dispatched_at
        FROM tasker.workflow_steps s
        JOIN tasker.workflow_step_transitions h ON h.workflow_step_uuid = s.workflow_step_uuid AND h.task_uuid = p_task AND h.to_state = 'in_progress'
                                                   AND h.from_state IS DISTINCT FROM 'enqueued_for_orchestration'
       WHERE s.task_uuid = p_task
    ), attempt AS (
      SELECT b.*, e.at AS settled_at, e.to_state AS outcome,
             coalesce((SELECT max(p.at) FROM tasker.workflow_step_transitions p
                        WHERE p.workflow_step_uuid = b.step AND p.task_uuid = p_task AND p.attempt = b.attempt - 1 AND p.from_state = 'in_progress'),
                      (SELECT max(d.settled_at) FROM tasker.workflow_step_edges w JOIN tasker.workflow_steps d ON d.workflow_step_uuid = w.from_step_uuid
                        WHERE w.to_step_uuid = b.step),
                      (SELECT greatest(task.created_at, coalesce(task.started_at, task.run_at)) FROM task)) AS ready_at,
             r.execution_time_ms, r.worker_id, w.*
        FROM begun b
        LEFT JOIN LATERAL (SELECT h.at, h.to_state FROM tasker.workflow_step_transitions h
                            WHERE h.workflow_step_uuid = b.step AND h.task_uuid = p_task AND h.attempt = b.attempt AND h.from_state = 'in_progress'
                              AND h.to_state <> 'enqueued_for_orchestration' ORDER BY h.at LIMIT 1) e ON true
        LEFT JOIN tasker.step_results r ON r.workflow_step_uuid = b.step AND r.attempt = b.attempt AND r.task_uuid = p_task
        LEFT JOIN LATERAL (
          SELECT c.committed, c.received, c.permit, c.handled, c.returned, c.handled - c.returned AS least, c.received - c.committed AS most
            FROM (SELECT r.stages[1] AS committed, r.stages[2] AS received, r.stages[2] + r.stages[3] AS permit, r.stages[2] + r.stages[3] + r.stages[4] AS handled,
                         r.stages[5] AS returned WHERE r.stages[1] > 0 AND r.stages[2] > 0) c) w ON true
    )
    SELECT json_build_object(
             'task_uuid', task.task_uuid, 'name', task.name, 'status', task.state, 'message', task.message, 'created_at', tasker.time_text(task.created_at, 'zoned'),
             'run_at', tasker.time_text(task.run_at, 'zoned'), 'deadline', tasker.time_text(task.deadline, 'zoned'),
             'accepted_ms', CASE WHEN substr(p_task::text, 15, 1) = '7' THEN
               tasker._ms(task.created_at, tasker._us_time(1000 * ('x' || substr(replace(p_task::text, '-', ''), 1, 12))::bit(48)::bigint)) END,
             'total_ms', tasker._ms(task.created_at, task.completed_at),
             'attempts', coalesce((SELECT json_agg(json_build_object(
                 'step', a.name, 'attempt', a.attempt, 'ready_ms', tasker._ms(task.created_at, a.ready_at),
                 'dispatched_ms', tasker._ms(task.created_at, a.dispatched_at), 'settled_ms', tasker._ms(task.created_at, a.settled_at),
                 'handler_ms', a.execution_time_ms, 'outcome', a.outcome, 'worker', a.worker_id,
                 'stages', CASE WHEN a.committed IS NOT NULL THEN json_build_object(
                   'committed_ms', tasker._ms(task.created_at, tasker._us_time(a.committed)),
                   'received_ms', tasker._ms(task.created_at, tasker._us_time(a.received - a.shift)), 'permit_ms', tasker._ms(task.created_at, tasker._us_time(a.permit - a.shift)),
                   'handled_ms', tasker._ms(task.created_at, tasker._us_time(a.handled - a.shift)), 'returned_ms', tasker._ms(task.created_at, tasker._us_time(a.returned)),
                   'worker_clock_ms', json_build_array(round(a.least / 1000.0, 3), round(a.most / 1000.0, 3))) END) ORDER BY a.dispatched_at, a.step_no)
               FROM (SELECT *, CASE WHEN least > 0 THEN least WHEN most < 0 THEN most ELSE 0 END AS shift FROM attempt) a), '[]'::json))
      FROM task);
END $$;
