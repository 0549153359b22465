-- tasker.analytics_bottlenecks(limit, min_executions): which steps and tasks of the last 24 hours took longest, as the REST contract has it. A step takes
-- from its last dispatch to its settling, a task from its creation to its end; whatever ran less than min_executions times is left out.
-- The instances of a batch are one step. What roll_up has added up is taken from there, the others are counted by their rows, all at one moment: exact.
-- What is worth doing is said in recommendations. Locks: none.
CREATE OR REPLACE FUNCTION tasker.analytics_bottlenecks(p_limit int, p_min_executions int) RETURNS json
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on AS $$
DECLARE
  v_since timestamptz := clock_timestamp() - interval '24 hours';
  v_whole timestamptz := tasker._whole_from(v_since);
  v_rows  uuid[] := tasker._counted_by_row(v_since);
  v_steps json;
  v_tasks json;
  v_states json;
  v_busy  numeric;
  v_say   text[];
BEGIN
  WITH slow AS (
    SELECT ns.name AS namespace, nt.name AS task, nt.version, f.step, sum(f.seconds) / sum(f.runs) AS mean, max(f.seconds_max) AS most, sum(f.runs)::bigint AS n,
           sum(f.failed)::bigint AS failed, max(f.last) AS last
      FROM (SELECT * FROM tasker._step_figures(v_rows)
            UNION ALL SELECT named_task_uuid, step, runs, failed, complete_seconds, seconds, seconds_max, last FROM tasker.rolled_steps WHERE stretch >= v_whole) f
      JOIN tasker.named_tasks nt ON nt.named_task_uuid = f.named_task_uuid JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
     GROUP BY 1, 2, 3, 4 HAVING sum(f.runs) >= p_min_executions ORDER BY mean DESC, 1, 2, 3, 4 LIMIT p_limit
  )
  SELECT coalesce(json_agg(json_build_object(
           'namespace_name', namespace, 'task_name', task, 'version', version, 'step_name', step, 'average_duration_seconds', round(mean::numeric, 6),
           'max_duration_seconds', round(most::numeric, 6), 'execution_count', n, 'error_count', failed, 'error_rate', round(100.0 * failed / n, 2),
           'last_executed_at', tasker._offset_text(last)) ORDER BY mean DESC, namespace, task, version, step), '[]'::json),
         array_agg(format('Step %s of %s/%s@%s fails in %s %% of its runs.', step, namespace, task, version, round(100.0 * failed / n, 1)) ORDER BY failed DESC)
           FILTER (WHERE 10 * failed >= n)
    INTO v_steps, v_say FROM slow;

  WITH slow AS (
    SELECT ns.name AS namespace, nt.name AS task, nt.version, sum(f.seconds) / sum(f.runs) AS mean, max(f.seconds_max) AS most, sum(f.runs)::bigint AS n,
           sum(f.runs - f.completed)::bigint AS failed, sum(f.steps)::numeric / sum(f.runs) AS steps, max(f.last) AS last
      FROM (SELECT * FROM tasker._task_figures(v_rows)
            UNION ALL SELECT named_task_uuid, tasks, runs, completed, complete_seconds, seconds, seconds_max, steps, last FROM tasker.rolled_tasks WHERE stretch >= v_whole) f
      JOIN tasker.named_tasks nt ON nt.named_task_uuid = f.named_task_uuid JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
     WHERE f.runs > 0
     GROUP BY 1, 2, 3 HAVING sum(f.runs) >= p_min_executions ORDER BY mean DESC, 1, 2, 3 LIMIT p_limit
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
