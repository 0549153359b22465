-- tasker._step_figures(tasks): what there is to add up of the steps of tasks, by template version and step of the template, from their rows. A run is complete or
-- in error and takes from its last dispatch to its settling. Locks: none.
CREATE OR REPLACE FUNCTION tasker._step_figures(p_tasks uuid[])
RETURNS TABLE (named_task_uuid uuid, step text, runs bigint, failed bigint, complete_seconds numeric, seconds numeric, seconds_max numeric, last timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT t.named_task_uuid, coalesce(ts.name, s.name), count(*), count(*) FILTER (WHERE s.state = 'error'),
         coalesce(sum(x.took) FILTER (WHERE s.state = 'complete'), 0), sum(x.took), max(x.took), max(s.settled_at)
    FROM unnest(p_tasks) u(task) JOIN tasker.tasks t ON t.task_uuid = u.task JOIN tasker.workflow_steps s ON s.task_uuid = t.task_uuid
    LEFT JOIN tasker.template_steps ts ON ts.digest = t.template_digest AND ts.step_no = s.step_no
    CROSS JOIN LATERAL (SELECT extract(epoch FROM s.settled_at - s.dispatched_at) AS took) x
   WHERE s.state IN ('complete', 'error') AND s.settled_at >= s.dispatched_at
   GROUP BY 1, 2
$$;
