-- tasker.get_system_health_counts(): tasks per state and steps per state, as (kind, state, n). Full counts: for people.
CREATE OR REPLACE FUNCTION tasker.get_system_health_counts() RETURNS TABLE (kind text, state text, n bigint)
LANGUAGE sql STABLE AS $$
  SELECT 'task', t.state::text, count(*) FROM tasker.tasks t GROUP BY 2
  UNION ALL
  SELECT 'step', s.state::text, count(*) FROM tasker.workflow_steps s GROUP BY 2
$$;
