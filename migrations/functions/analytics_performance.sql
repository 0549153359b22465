-- tasker.analytics_performance(hours): how the tasks created in the last hours (0: the last one) went, as the REST contract has it. Their ids
-- carry the time. What roll_up has added up is taken from there, the others are counted by their rows, all at one moment: exact. active_tasks are all that are open now, total_tasks all there are. Locks: none.
CREATE OR REPLACE FUNCTION tasker.analytics_performance(p_hours int) RETURNS json
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on AS $$
DECLARE
  v_now   timestamptz := clock_timestamp();
  v_hours int := greatest(p_hours, 1);
  v_since timestamptz := v_now - v_hours * interval '1 hour';
  v_whole timestamptz := tasker._whole_from(v_since);
  v_rows  uuid[] := tasker._counted_by_row(v_since);
BEGIN
  RETURN (
    WITH tasks AS (
      SELECT coalesce(sum(f.tasks), 0)::bigint AS n, coalesce(sum(f.completed), 0)::bigint AS completed, coalesce(sum(f.runs - f.completed), 0)::bigint AS failed,
             sum(f.complete_seconds) / nullif(sum(f.completed), 0) AS seconds
        FROM (SELECT tasks, runs, completed, complete_seconds FROM tasker._task_figures(v_rows)
              UNION ALL SELECT tasks, runs, completed, complete_seconds FROM tasker.rolled_tasks WHERE stretch >= v_whole) f
    ), steps AS (
      SELECT coalesce(sum(f.runs - f.failed), 0)::bigint AS n, sum(f.complete_seconds) / nullif(sum(f.runs - f.failed), 0) AS seconds
        FROM (SELECT runs, failed, complete_seconds FROM tasker._step_figures(v_rows)
              UNION ALL SELECT runs, failed, complete_seconds FROM tasker.rolled_steps WHERE stretch >= v_whole) f
    )
    SELECT json_build_object(
             'total_tasks', tasker._tasks_there_are(), 'active_tasks', (SELECT count(*) FROM tasker.open_tasks),
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
