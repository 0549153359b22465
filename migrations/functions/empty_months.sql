-- tasker.empty_months(): months of history that are over and whose tasks have all been deleted: their partitions, emptied row by row, only take up room. For retention, which
-- drops them (drop_history). Asks the indices, whatever the tables hold. Locks: none.
CREATE OR REPLACE FUNCTION tasker.empty_months() RETURNS TABLE (month date) LANGUAGE sql STABLE AS $$
  SELECT m.month
    FROM (SELECT DISTINCT to_date(substr(c.relname, length('step_results_') + 1), 'YYYYMM') AS month
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = 'tasker.step_results'::regclass AND c.relname ~ '_[0-9]{6}$') m
    CROSS JOIN LATERAL (SELECT tasker._uuid_at(m.month::timestamp AT TIME ZONE 'UTC') AS low,
                               tasker._uuid_at((m.month + interval '1 month') AT TIME ZONE 'UTC') AS high) u
   WHERE m.month + interval '1 month' <= now() AT TIME ZONE 'UTC'
     AND NOT EXISTS (SELECT FROM tasker.tasks t WHERE t.task_uuid >= u.low AND t.task_uuid < u.high)
   ORDER BY 1
$$;
