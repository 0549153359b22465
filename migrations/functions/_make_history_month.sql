-- tasker._make_history_month(table, month): the partition of a history table for the tasks of that month (UTC), with the rows of it that
-- went to the default partition meanwhile. True when it was made, false when it was there.
-- Locks: the default partition, alone, for as long as moving its rows takes; it is empty where partitions are made ahead of time.
CREATE OR REPLACE FUNCTION tasker._make_history_month(p_table text, p_month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_name text := format('%s_%s', p_table, to_char(p_month, 'YYYYMM'));
  v_from uuid := tasker._uuid_at(p_month::timestamp AT TIME ZONE 'UTC');
  v_to   uuid := tasker._uuid_at((p_month + interval '1 month') AT TIME ZONE 'UTC');
BEGIN
  IF to_regclass(format('tasker.%I', v_name)) IS NOT NULL THEN RETURN false; END IF;
  EXECUTE format('LOCK TABLE tasker.%I IN ACCESS EXCLUSIVE MODE', p_table || '_default');
  EXECUTE format('CREATE TABLE tasker.%I (LIKE tasker.%I)', v_name, p_table);
  EXECUTE format('WITH gone AS (DELETE FROM tasker.%I WHERE task_uuid >= $1 AND task_uuid < $2 RETURNING *) INSERT INTO tasker.%I SELECT * FROM gone',
                 p_table || '_default', v_name) USING v_from, v_to;
  EXECUTE format('ALTER TABLE tasker.%I ATTACH PARTITION tasker.%I FOR VALUES FROM (%L) TO (%L)', p_table, v_name, v_from, v_to);
  RETURN true;
END $$;
