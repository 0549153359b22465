-- tasker.retention_due(): of each namespace, how many tasks ended longer ago than its policy keeps them (older), how many of these would be deleted now (due), with how
-- many steps. The others are needed still (_deletable). For people: reads every task older than its policy.
CREATE OR REPLACE FUNCTION tasker.retention_due() RETURNS TABLE (namespace text, keep_days int, source text, older bigint, due bigint, steps bigint)
LANGUAGE sql STABLE SET jit = off AS $$
  SELECT k.namespace, k.keep_days, k.source, coalesce(x.older, 0), coalesce(x.due, 0), coalesce(x.steps, 0)
    FROM tasker.retention_keeps() k
    CROSS JOIN LATERAL (SELECT clock_timestamp() - make_interval(days => k.keep_days) AS before) b
    CROSS JOIN LATERAL (
      SELECT sum(cardinality(page.tasks)) AS older, sum(d.n) AS due, sum(d.steps) AS steps
        FROM (SELECT array_agg(o.task_uuid) AS tasks
                FROM (SELECT t.task_uuid, row_number() OVER () / 10000 AS page FROM tasker.tasks t
                       WHERE t.namespace = k.namespace AND t.task_uuid < tasker._uuid_at(b.before) AND coalesce(t.completed_at, t.updated_at) < b.before
                         AND t.state IN ('complete', 'error', 'cancelled', 'resolved_manually')) o
               GROUP BY o.page) page
        CROSS JOIN LATERAL (SELECT count(*) AS n, sum(t.total_steps) AS steps FROM tasker._deletable(page.tasks) g(task) JOIN tasker.tasks t ON t.task_uuid = g.task) d
      ) x
   WHERE k.namespace <> '*'
$$;
