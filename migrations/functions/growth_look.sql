-- tasker.growth_look(task, step): growth_begin for a decision or an analyzer that a person is about to complete: the same rows (idx 1), while it has
-- not ended; none for a step of another kind or one that has. The caller is in a transaction and calls grow_tasks and act_on_step in it.
-- Locks: the task row. Cost: the task's steps.
CREATE OR REPLACE FUNCTION tasker.growth_look(p_task uuid, p_step uuid)
RETURNS TABLE (idx int, template_digest text, source int, step_no int, open boolean) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
  RETURN QUERY
  SELECT 1, t.template_digest, s.step_no::int, g.no, g.open
    FROM tasker.workflow_steps s
    JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
    JOIN tasker.template_steps ts ON ts.digest = t.template_digest AND ts.step_no = s.step_no AND ts.step_type IN ('decision', 'batchable')
    CROSS JOIN LATERAL (SELECT e.step_no::int AS no, bool_or(e.state NOT IN ('complete', 'resolved_manually', 'cancelled')) AS open
                          FROM tasker.workflow_steps e WHERE e.task_uuid = p_task GROUP BY e.step_no) g
   WHERE s.workflow_step_uuid = p_step AND s.task_uuid = p_task AND s.state NOT IN ('complete', 'resolved_manually');
END $$;
