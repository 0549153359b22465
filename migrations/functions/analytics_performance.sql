-- tasker.analytics_performance(hours): how the tasks created in the last hours (0: the last one) went, as the REST contract has it. Counted from
-- their rows, found by their ids, which carry the time. active_tasks are all that are open now, total_tasks all there are. Locks: none.
CREATE OR REPLACE FUNCTION tasker.analytics_performance(p_hours int) RETURNS json
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on AS $$
DECLARE
  v_now   timestamptz := clock_timestamp();
  v_hours int := greatest(p_hours, 1);
  v_since timestamptz := v_now - v_hours * interval '1 hour';
BEGIN
  RETURN (
    WITH recent AS (
      SELECT t.task_uuid, t.state, t.created_at, t.completed_at FROM tasker.tasks t
       WHERE t.task_uuid >= tasker._uuid_at(v_since - interval '1 day') AND t.created_at >= v_since
    ), tasks AS (
      SELECT count(*) AS n, count(*) FILTER (WHERE state = 'complete') AS completed,
             count(*) FILTER (WHERE state IN ('error', 'blocked_by_failures')) AS failed,
             avg(extract(epoch FROM completed_at - created_at)) FILTER (WHERE state = 'complete') AS seconds
        FROM recent
    ), steps AS (
      SELECT count(*) AS n, avg(extract(epoch FROM s.settled_at - s.dispatched_at)) AS seconds
        FROM recent r JOIN tasker.workflow_steps s ON s.task_uuid = r.task_uuid
       WHERE s.state = 'complete' AND s.settled_at >= s.dispatched_at
    )
    SELECT json_build_object(
             'total_tasks', (SELECT count(*) FROM tasker.tasks), 'active_tasks', (SELECT count(*) FROM tasker.open_tasks),
             'completed_tasks', tasks.completed, 'failed_tasks', tasks.failed,
             'completion_rate', CASE WHEN tasks.n = 0 THEN 0 ELSE round(100.0 * tasks.completed / tasks.n, 2) END,
             'error_rate', CASE WHEN tasks.n = 0 THEN 0 ELSE round(100.0 * tasks.failed / tasks.n, 2) END,
             'average_task_duration_seconds', round(coalesce(tasks.seconds, 0)::numeric, 6),
             'average_step_duration_seconds', round(coalesce(steps.seconds, 0)::numeric, 6),
             'tasks_per_hour', round(tasks.n::numeric / v_hours)::bigint, 'steps_per_hour', round(steps.n::numeric / v_hours)::bigint,
             'system_health_score', CASE WHEN tasks.completed + tasks.failed = 0 THEN 1 ELSE round(tasks.completed::numeric / (tasks.completed + tasks.failed), 4) END,
             'analysis_period_start', tasker._offset_text(v_since), 'calculated_at', tasker._offset_text(v_now))
      FROM tasks, steps);
END $$;
