-- tasker.drop_history(month): drops the partitions of that month's tasks and writes down that it did. Returns the outcome:
--   'dropped'; 'open' (open_tasks of the month have not ended: nothing happened); 'not over'; 'unknown' (there is no such partition).
-- What is dropped are attempts, results and transitions. The tasks and their steps stay, with their states.
-- Locks: the three tables, each statement of the engine waits meanwhile: milliseconds. Not longer than half a second for a lock, see make_history_months.
CREATE OR REPLACE FUNCTION tasker.drop_history(p_month date) RETURNS TABLE (outcome text, open_tasks bigint, oldest uuid)
LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
DECLARE
  v_from  uuid := tasker._uuid_at(p_month::timestamp AT TIME ZONE 'UTC');
  v_to    uuid := tasker._uuid_at((p_month + interval '1 month') AT TIME ZONE 'UTC');
  v_tasks bigint;
  v_bytes bigint;
  v_table text;
BEGIN
  PERFORM pg_advisory_xact_lock(7286425031130);
  SELECT sum(pg_total_relation_size(p.part)) INTO v_bytes
    FROM (SELECT to_regclass(format('tasker.%I', format('%s_%s', h.name, to_char(p_month, 'YYYYMM')))) AS part FROM unnest(tasker._history_tables()) h(name)) p;
  IF v_bytes IS NULL THEN RETURN QUERY SELECT 'unknown', 0::bigint, NULL::uuid; RETURN; END IF;
  IF p_month + interval '1 month' > now() AT TIME ZONE 'UTC' THEN RETURN QUERY SELECT 'not over', 0::bigint, NULL::uuid; RETURN; END IF;
  -- Counting may take a while: before the engine waits for us. Tasks are not added to a month that is over.
  SELECT count(*) INTO v_tasks FROM tasker.tasks t WHERE t.task_uuid >= v_from AND t.task_uuid < v_to;

  FOREACH v_table IN ARRAY tasker._history_tables() LOOP
    EXECUTE format('LOCK TABLE ONLY tasker.%I IN ACCESS EXCLUSIVE MODE', v_table);
  END LOOP;
  RETURN QUERY
  SELECT 'open', count(*), (array_agg(o.task_uuid ORDER BY o.task_uuid))[1]
    FROM tasker.open_tasks o WHERE o.task_uuid >= v_from AND o.task_uuid < v_to HAVING count(*) > 0;
  IF FOUND THEN RETURN; END IF;
  FOREACH v_table IN ARRAY tasker._history_tables() LOOP
    EXECUTE format('DROP TABLE IF EXISTS tasker.%I', format('%s_%s', v_table, to_char(p_month, 'YYYYMM')));
  END LOOP;
  INSERT INTO tasker.dropped_history (month, from_uuid, to_uuid, tasks, bytes) VALUES (p_month, v_from, v_to, v_tasks, v_bytes);
  RETURN QUERY SELECT 'dropped', 0::bigint, NULL::uuid;
END $$;
