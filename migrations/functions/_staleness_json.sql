-- tasker._staleness_json(task, limits, served): how near an open task is to being stale (tasker._staleness), for explain:
--   {health, minutes, threshold, spared, text}; text: NULL while it is far from it. NULL for a task that has ended. Locks: none.
CREATE OR REPLACE FUNCTION tasker._staleness_json(p_task uuid, p_limits int[], p_served text[]) RETURNS json
LANGUAGE sql STABLE AS $$
  SELECT json_build_object('health', s.health, 'minutes', s.minutes, 'threshold', s.threshold, 'spared', s.spared,
           'text', CASE WHEN s.health = 'healthy' AND (s.spared IS NULL OR s.minutes < 0.8 * s.threshold) THEN NULL
                        ELSE format('Nothing of it has moved for %s minutes; ', s.minutes)
                             || CASE WHEN s.spared IS NOT NULL THEN format('it is not stale, because %s.', s.spared)
                                     ELSE format('from %s on it is stale, then: %s (staleness_action).', s.threshold, s.action) END END)
    FROM tasker._staleness(ARRAY[p_task], p_limits, p_served) s
    JOIN tasker.open_tasks o ON o.task_uuid = s.task_uuid
$$;
