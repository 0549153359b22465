-- tasker.fetch_results(task, names): the stored results of complete steps of a task, by name.
CREATE OR REPLACE FUNCTION tasker.fetch_results(p_task uuid, p_names text[]) RETURNS TABLE (step_name text, result text)
LANGUAGE sql STABLE AS $$
  SELECT s.name, r.result::text
    FROM tasker.workflow_steps s
    JOIN tasker.step_results r ON r.workflow_step_uuid = s.workflow_step_uuid AND r.attempt = s.attempts AND r.task_uuid = p_task AND r.success
   WHERE s.task_uuid = p_task AND s.name = ANY (p_names) AND s.state = 'complete'
$$;
