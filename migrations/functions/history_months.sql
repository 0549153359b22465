-- tasker.history_months(before, age): the months of history there are, oldest first, and those that were let go. Either argument or neither:
-- `due` months end before `before`, or ended `age` ago. Month NULL is what is in no month's partition: nothing, where migrate and the sweeper run.
--   tasks: created in that month. open_tasks: of these, not ended, and `oldest` of them. rows: as the statistics have it, NULL before the first look.
-- For people: counts the tasks of each month.
CREATE OR REPLACE FUNCTION tasker.history_months(p_before date, p_age interval)
RETURNS TABLE (month date, tasks bigint, open_tasks bigint, oldest uuid, row_count bigint, bytes bigint, due boolean, dropped_at timestamptz) LANGUAGE sql STABLE AS $$
  WITH part AS (
    SELECT CASE WHEN x.suffix <> 'default' THEN to_date(x.suffix, 'YYYYMM') END AS month, c.reltuples, pg_total_relation_size(c.oid) AS bytes
      FROM unnest(tasker._history_tables()) h(name)
      JOIN pg_inherits i ON i.inhparent = ('tasker.' || h.name)::regclass
      JOIN pg_class c ON c.oid = i.inhrelid
     CROSS JOIN LATERAL (SELECT substr(c.relname, length(h.name) + 2) AS suffix) x
  ), m AS (
    SELECT p.month, CASE WHEN bool_and(p.reltuples >= 0) THEN sum(p.reltuples)::bigint END AS row_count, sum(p.bytes)::bigint AS bytes,
           p.month + interval '1 month' <= coalesce(p_before::timestamp, (now() - p_age) AT TIME ZONE 'UTC') AS due,
           tasker._uuid_at(p.month::timestamp AT TIME ZONE 'UTC') AS from_uuid, tasker._uuid_at((p.month + interval '1 month') AT TIME ZONE 'UTC') AS to_uuid
      FROM part p GROUP BY p.month
  )
  SELECT m.month, (SELECT count(*) FROM tasker.tasks t WHERE t.task_uuid >= m.from_uuid AND t.task_uuid < m.to_uuid), o.n, o.oldest, m.row_count, m.bytes,
         coalesce(m.due, false), NULL::timestamptz
    FROM m, LATERAL (SELECT count(*) AS n, (array_agg(x.task_uuid ORDER BY x.task_uuid))[1] AS oldest
                       FROM tasker.open_tasks x WHERE x.task_uuid >= m.from_uuid AND x.task_uuid < m.to_uuid) o
  UNION ALL
  SELECT d.month, d.tasks, 0, NULL, 0, d.bytes, false, d.dropped_at FROM tasker.dropped_history d
  ORDER BY 1 NULLS LAST
$$;
