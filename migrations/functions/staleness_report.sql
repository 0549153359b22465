-- tasker.staleness_report(limits, served, limit): how near open tasks are to being stale, by the same rules that act on it (tasker._staleness): stale
-- ones first, then warnings, within each those that stand still longest. A JSON array, as the contract has it; spared is beyond it.
-- Looks at the 10,000 oldest open tasks. Locks: none.
CREATE OR REPLACE FUNCTION tasker.staleness_report(p_limits int[], p_served text[], p_limit int) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_seen uuid[] := array(SELECT o.task_uuid FROM tasker.open_tasks o ORDER BY o.task_uuid LIMIT 10000);
BEGIN
  RETURN (SELECT coalesce(json_agg(json_build_object(
                   'task_uuid', s.task_uuid, 'namespace_name', s.namespace, 'task_name', nt.name, 'current_state', s.state, 'time_in_state_minutes', s.minutes,
                   'task_age_minutes', s.age, 'staleness_threshold_minutes', s.threshold, 'health_status', s.health, 'priority', s.priority,
                   'spared', s.spared) ORDER BY s.rank, s.minutes DESC, s.task_uuid), '[]'::json)
            FROM (SELECT x.*, CASE x.health WHEN 'stale' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END AS rank FROM tasker._staleness(v_seen, p_limits, p_served) x
                   ORDER BY rank, x.minutes DESC, x.task_uuid LIMIT p_limit) s
            LEFT JOIN tasker.named_tasks nt ON nt.named_task_uuid = s.named_task_uuid);
END $$;
