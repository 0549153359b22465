-- tasker._task_figures(tasks): what there is to add up of tasks, by template version, from their rows. A run is complete, in error or blocked, and takes from
-- the task's creation to its end (to its last change when it has none). Locks: none.
CREATE OR REPLACE FUNCTION tasker._task_figures(p_tasks uuid[])
RETURNS TABLE (named_task_uuid uuid, tasks bigint, runs bigint, completed bigint, complete_seconds numeric, seconds numeric, seconds_max numeric, steps bigint, last timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT t.named_task_uuid, count(*), count(*) FILTER (WHERE x.ran), count(*) FILTER (WHERE t.state = 'complete'),
         coalesce(sum(extract(epoch FROM t.completed_at - t.created_at)) FILTER (WHERE t.state = 'complete'), 0),
         coalesce(sum(extract(epoch FROM x.until - t.created_at)) FILTER (WHERE x.ran), 0), max(extract(epoch FROM x.until - t.created_at)) FILTER (WHERE x.ran),
         coalesce(sum(t.total_steps) FILTER (WHERE x.ran), 0), max(x.until) FILTER (WHERE x.ran)
    FROM unnest(p_tasks) u(task) JOIN tasker.tasks t ON t.task_uuid = u.task
    CROSS JOIN LATERAL (SELECT coalesce(t.completed_at, t.updated_at) AS until, t.state IN ('complete', 'error', 'blocked_by_failures') AS ran) x
   GROUP BY 1
$$;
