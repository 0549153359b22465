-- tasker._state_figures(tasks): in which states tasks and their steps are, from their rows. Locks: none.
CREATE OR REPLACE FUNCTION tasker._state_figures(p_tasks uuid[]) RETURNS TABLE (kind text, state text, n bigint)
LANGUAGE sql STABLE AS $$
  SELECT 'task', t.state::text, count(*) FROM unnest(p_tasks) u(task) JOIN tasker.tasks t ON t.task_uuid = u.task GROUP BY 2
  UNION ALL
  SELECT 'step', s.state::text, count(*) FROM unnest(p_tasks) u(task) JOIN tasker.workflow_steps s ON s.task_uuid = u.task GROUP BY 2
$$;
