-- tasker._staleness_json(task, limits, served): how near an open task is to being stale (tasker._staleness), for explain:
--   {health, minutes, threshold, spared, acts, text}; text: NULL while it is far from it. acts: whether anything is done about it, as the sixth of the limits says (0 or
--   none: yes; 1: no, staleness.enabled is off; 2: no, staleness.dry_run is on). NULL for a task that has ended. Locks: none.
CREATE OR REPLACE FUNCTION tasker._staleness_json(p_task uuid, p_limits int[], p_served text[]) RETURNS json
LANGUAGE sql STABLE AS $$
  SELECT json_build_object('health', s.health, 'minutes', s.minutes, 'threshold', s.threshold, 'spared', s.spared, 'acts', coalesce(p_limits[6], 0) = 0,
           'text', CASE WHEN s.health = 'healthy' AND (s.spared IS NULL OR s.minutes < 0.8 * s.threshold) THEN NULL
                        ELSE format('Nothing of it has moved for %s minutes; ', s.minutes)
                             || CASE WHEN s.spared IS NOT NULL THEN format('it is not stale, because %s.', s.spared)
                                     WHEN p_limits[6] <> 0 THEN format('from %s on it is stale, but nothing is done about it: %s.', s.threshold,
                                                                       CASE p_limits[6] WHEN 1 THEN 'staleness.enabled is off' ELSE 'staleness.dry_run is on' END)
                                     ELSE format('from %s on it is stale, then: %s (staleness_action).', s.threshold, s.action) END END)
    FROM tasker._staleness(ARRAY[p_task], p_limits, p_served) s
    JOIN tasker.open_tasks o ON o.task_uuid = s.task_uuid
$$;
