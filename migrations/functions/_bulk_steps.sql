-- tasker._bulk_steps(tasks, action, step, step_state, actor, reason): the steps of these tasks that a decision about many is about. step: a step's name, or that of a
-- step of the template whose instances they are (not for rerun: what is below several would run again several times); NULL: all.
-- step_state NULL: for reset, resolve, skip and complete those that have failed, for rerun those that have ended, else any. A task that ended in error without a failure
-- goes on where it stopped: reset means the first step that its end has cancelled, or those of that name.
-- What the same person has run again from there for the same reason is left out: a request that comes twice runs nothing twice.
CREATE OR REPLACE FUNCTION tasker._bulk_steps(p_tasks uuid[], p_action text, p_step text, p_step_state text, p_actor text, p_reason text)
RETURNS TABLE (task uuid, step uuid, no int, instance int) LANGUAGE sql STABLE AS $$
  SELECT t.task_uuid, s.workflow_step_uuid, s.step_no::int, s.instance
    FROM unnest(p_tasks) u(task)
    JOIN tasker.tasks t ON t.task_uuid = u.task
    JOIN tasker.workflow_steps s ON s.task_uuid = t.task_uuid
    LEFT JOIN LATERAL (SELECT x.workflow_step_uuid AS stopped FROM tasker.workflow_steps x
                        WHERE p_action = 'reset' AND t.state = 'error' AND t.failed_steps = 0 AND x.task_uuid = t.task_uuid AND x.state = 'cancelled'
                        ORDER BY x.step_no, x.instance LIMIT 1) e ON true
   WHERE (p_step IS NULL OR s.name = p_step
          OR (p_action <> 'rerun' AND s.step_no = (SELECT ts.step_no FROM tasker.template_steps ts WHERE ts.name = p_step AND ts.digest = t.template_digest)))
     AND CASE WHEN p_step_state IS NOT NULL THEN s.state::text = p_step_state
              WHEN p_action IN ('reset', 'resolve', 'skip', 'complete') THEN s.state = 'error' OR s.workflow_step_uuid = e.stopped
                                                                             OR (p_step IS NOT NULL AND e.stopped IS NOT NULL AND s.state = 'cancelled')
              WHEN p_action = 'rerun' THEN s.state IN ('complete', 'error', 'resolved_manually', 'cancelled')
              ELSE true END
     AND (p_action <> 'rerun' OR NOT EXISTS (SELECT FROM tasker.task_generations g WHERE g.task_uuid = t.task_uuid AND g.from_step = s.workflow_step_uuid
                                                AND g.actor = p_actor AND g.reason = p_reason))
$$;
