-- tasker.analytics_bottlenecks(limit, min_executions): which steps and tasks of the last 24 hours took longest, as the REST contract has it. A step takes
-- from its last dispatch to its settling, a task from its creation to its end; whatever ran less than min_executions times is left out.
-- What is worth doing is said in recommendations. Locks: none.
CREATE OR REPLACE FUNCTION tasker.analytics_bottlenecks(p_limit int, p_min_executions int) RETURNS json
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on AS $$
DECLARE
  v_since timestamptz := clock_timestamp() - interval '24 hours';
  v_steps json;
  v_tasks json;
  v_states json;
  v_busy  numeric;
  v_say   text[];
BEGIN
  WITH ended AS (
    SELECT t.namespace, nt.name AS task, nt.version, s.name AS step, extract(epoch FROM s.settled_at - s.dispatched_at) AS seconds, s.state, s.settled_at
      FROM tasker.tasks t JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid JOIN tasker.workflow_steps s ON s.task_uuid = t.task_uuid
     WHERE t.task_uuid >= tasker._uuid_at(v_since - interval '1 day') AND t.created_at >= v_since
       AND s.state IN ('complete', 'error') AND s.settled_at >= s.dispatched_at
  ), slow AS (
    SELECT namespace, task, version, step, avg(seconds) AS mean, max(seconds) AS most, count(*) AS n, count(*) FILTER (WHERE state = 'error') AS failed,
           max(settled_at) AS last
      FROM ended GROUP BY 1, 2, 3, 4 HAVING count(*) >= p_min_executions ORDER BY mean DESC, 1, 2, 3, 4 LIMIT p_limit
  )
  SELECT coalesce(json_agg(json_build_object(
           'namespace_name', namespace, 'task_name', task, 'version', version, 'step_name', step, 'average_duration_seconds', round(mean::numeric, 6),
           'max_duration_seconds', round(most::numeric, 6), 'execution_count', n, 'error_count', failed, 'error_rate', round(100.0 * failed / n, 2),
           'last_executed_at', tasker._offset_text(last)) ORDER BY mean DESC, namespace, task, version, step), '[]'::json),
         array_agg(format('Step %s of %s/%s@%s fails in %s %% of its runs.', step, namespace, task, version, round(100.0 * failed / n, 1)) ORDER BY failed DESC)
           FILTER (WHERE 10 * failed >= n)
    INTO v_steps, v_say FROM slow;

  WITH slow AS (
    SELECT t.namespace, nt.name AS task, nt.version, avg(extract(epoch FROM coalesce(t.completed_at, t.updated_at) - t.created_at)) AS mean,
           max(extract(epoch FROM coalesce(t.completed_at, t.updated_at) - t.created_at)) AS most, count(*) AS n,
           count(*) FILTER (WHERE t.state <> 'complete') AS failed, avg(t.total_steps) AS steps, max(coalesce(t.completed_at, t.updated_at)) AS last
      FROM tasker.tasks t JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid
     WHERE t.task_uuid >= tasker._uuid_at(v_since - interval '1 day') AND t.created_at >= v_since AND t.state IN ('complete', 'error', 'blocked_by_failures')
     GROUP BY 1, 2, 3 HAVING count(*) >= p_min_executions ORDER BY mean DESC, 1, 2, 3 LIMIT p_limit
  )
  SELECT coalesce(json_agg(json_build_object(
           'namespace_name', namespace, 'task_name', task, 'version', version, 'average_duration_seconds', round(mean::numeric, 6),
           'max_duration_seconds', round(most::numeric, 6), 'execution_count', n, 'average_step_count', round(steps, 2), 'error_count', failed,
           'error_rate', round(100.0 * failed / n, 2), 'last_executed_at', tasker._offset_text(last)) ORDER BY mean DESC, namespace, task, version), '[]'::json)
    INTO v_tasks FROM slow;

  WITH counted AS (SELECT * FROM tasker.get_system_health_counts()), named AS (
    SELECT 1 AS part, e.n, e.state || '_tasks' AS key, coalesce((SELECT c.n FROM counted c WHERE c.kind = 'task' AND c.state = e.state), 0) AS value
      FROM unnest(enum_range(NULL::tasker.task_state)::text[]) WITH ORDINALITY e(state, n)
    UNION ALL SELECT 2, 0, 'total_tasks', coalesce((SELECT sum(c.n) FROM counted c WHERE c.kind = 'task'), 0)
    UNION ALL SELECT 3, e.n, e.state || '_steps', coalesce((SELECT c.n FROM counted c WHERE c.kind = 'step' AND c.state = e.state), 0)
      FROM unnest(enum_range(NULL::tasker.step_state)::text[]) WITH ORDINALITY e(state, n)
    UNION ALL SELECT 4, 0, 'total_steps', coalesce((SELECT sum(c.n) FROM counted c WHERE c.kind = 'step'), 0)
  )
  SELECT json_object_agg(key, value ORDER BY part, n),
         v_say || array_agg(format('%s tasks are blocked by failures: tasker task list --status blocked_by_failures', value))
                    FILTER (WHERE key = 'blocked_by_failures_tasks' AND value > 0)
    INTO v_states, v_say FROM named;
  SELECT round(coalesce(avg((a.state = 'active')::int), 0), 4) INTO v_busy
    FROM pg_stat_activity a WHERE a.datname = current_database() AND a.application_name LIKE 'tasker-%' AND a.pid <> pg_backend_pid();
  RETURN json_build_object('slow_steps', v_steps, 'slow_tasks', v_tasks,
                           'resource_utilization', json_build_object('database_pool_utilization', v_busy, 'system_health', v_states),
                           'recommendations', to_json(coalesce(v_say, '{}')));
END $$;
