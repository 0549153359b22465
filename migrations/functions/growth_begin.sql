-- tasker.growth_begin(held executions): the first half of settling results that may let their graph grow. The caller is in a transaction:
-- it plans what follows (shared/model/growth.h), then calls grow_tasks and settle_steps in it. Locks the tasks and tells of each execution
-- that still holds (idx from 1) its template, its step number there (source) and, a row each, which template steps exist in the task and
-- whether they are open. Executions that do not hold any more have no row: settle_steps says what they are.
-- Locks: task rows in uuid order. Cost: the tasks' steps.
CREATE OR REPLACE FUNCTION tasker.growth_begin(p_step uuid[], p_task uuid[], p_attempt int[], p_msg bigint[])
RETURNS TABLE (idx int, template_digest text, source int, step_no int, open boolean) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = ANY (p_task) ORDER BY t.task_uuid FOR NO KEY UPDATE;
  RETURN QUERY
  SELECT r.idx::int, t.template_digest, s.step_no::int, g.no, g.open
    FROM unnest(p_step, p_task, p_attempt, p_msg) WITH ORDINALITY r(step, task, att, msg, idx)
    JOIN tasker.workflow_steps s ON s.workflow_step_uuid = r.step AND s.task_uuid = r.task AND s.state = 'in_progress' AND s.attempts = r.att
                                AND s.msg_id = r.msg
    JOIN tasker.tasks t ON t.task_uuid = r.task
    CROSS JOIN LATERAL (SELECT e.step_no::int AS no, bool_or(e.state NOT IN ('complete', 'resolved_manually', 'cancelled')) AS open
                          FROM tasker.workflow_steps e WHERE e.task_uuid = r.task GROUP BY e.step_no) g;
END $$;
