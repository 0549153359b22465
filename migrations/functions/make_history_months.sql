-- tasker.make_history_months(ahead): sees to it that the history tables have partitions for this month and `ahead` more, and for every month
-- with rows in a default partition. Returns how many partitions it made: 0 nearly always, after a look at the catalog.
-- Called by `tasker migrate` and once in a while by the sweeper, never on the hot path. One caller at a time, others do nothing. Waits half a
-- second at most for a lock, which is less than the server takes to look for deadlocks: whoever else waits is served, this call fails and is repeated.
CREATE OR REPLACE FUNCTION tasker.make_history_months(p_ahead int) RETURNS int LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
DECLARE
  v_this   date := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')::date;
  v_table  text;
  v_months date[];
  v_made   int := 0;
BEGIN
  IF NOT pg_try_advisory_xact_lock(7286425031130) THEN RETURN 0; END IF;
  FOREACH v_table IN ARRAY tasker._history_tables() LOOP
    EXECUTE format('SELECT array_agg(DISTINCT m.month) FROM (SELECT tasker._uuid_month(task_uuid) AS month FROM tasker.%I) m WHERE m.month BETWEEN ''2020-01-01'' AND $1',
                   v_table || '_default') INTO v_months USING v_this;
    FOR v_month IN 0 .. p_ahead LOOP
      v_months := v_months || (v_this + v_month * interval '1 month')::date;
    END LOOP;
    SELECT v_made + count(*) FILTER (WHERE tasker._make_history_month(v_table, m.month)) INTO v_made
      FROM (SELECT DISTINCT unnest(v_months) AS month ORDER BY 1) m WHERE NOT EXISTS (SELECT 1 FROM tasker.dropped_history d WHERE d.month = m.month);
  END LOOP;
  RETURN v_made;
END $$;
