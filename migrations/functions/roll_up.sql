-- tasker.roll_up(stretches): adds up the tasks of the next stretches of five minutes that are over, for analytics, at most so many and for about half a second.
-- Called once a minute by every orchestrator's sweeper; one works, the others find the lock taken. A crash leaves whole stretches or none.
-- Over is a stretch when it ended a quarter of an hour ago and no transaction is left that began within that time: ids are made by the clocks of the
-- orchestrators, before the transaction that stores them, so whatever was late by less is there. A day later each is looked at once more: when a task came in
-- later still, or some were left out, it is added up again.
-- Returns how many stretches were added up, and whether there are more. Locks: none that others wait for, but people who reopen a task (_unroll).
CREATE OR REPLACE FUNCTION tasker.roll_up(p_max int) RETURNS TABLE (done int, more boolean)
LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on AS $$
DECLARE
  v_started timestamptz := clock_timestamp();
  v_over    timestamptz;
  v_stretch timestamptz;
  v_from    timestamptz;
  v_to      timestamptz;
  v_late    boolean;
  v_ended   uuid[];
  v_open    uuid[];
BEGIN
  done := 0;
  more := false;
  IF NOT pg_try_advisory_xact_lock(7286425031131) THEN RETURN NEXT; RETURN; END IF;
  SELECT tasker._stretch(least(v_started, min(a.xact_start)) - interval '20 minutes') + interval '5 minutes' INTO v_over
    FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND (a.backend_xid IS NOT NULL OR a.application_name LIKE 'tasker-%');

  -- Once more, a day later, an hour at a time.
  SELECT u.looked_at, least(u.looked_at + interval '1 hour', u.until, tasker._stretch(v_started - interval '1 day')) INTO v_from, v_to FROM tasker.rolled_until u;
  IF v_from < v_to THEN
    v_late := (SELECT count(*) FROM tasker.tasks t WHERE t.task_uuid >= tasker._uuid_at(v_from) AND t.task_uuid < tasker._uuid_at(v_to))
              <> (SELECT coalesce(sum(r.tasks), 0) FROM tasker.rolled r WHERE r.stretch >= v_from AND r.stretch < v_to);
    DELETE FROM tasker.rolled r WHERE r.stretch >= v_from AND r.stretch < v_to AND (v_late OR r.left_out <> '{}');
    UPDATE tasker.rolled_until SET looked_at = v_to, until = CASE WHEN FOUND OR v_late THEN v_from ELSE until END;
  END IF;

  LOOP
    -- The next one that has tasks and is not rolled; from the last id on whole stretches are skipped.
    SELECT u.until INTO v_stretch FROM tasker.rolled_until u;
    LOOP
      SELECT tasker._stretch(to_timestamp(('x' || left(replace(t.task_uuid::text, '-', ''), 12))::bit(48)::bigint / 1000.0)) INTO v_stretch
        FROM tasker.tasks t WHERE t.task_uuid >= tasker._uuid_at(v_stretch) ORDER BY t.task_uuid LIMIT 1;
      v_stretch := coalesce(v_stretch, v_over);
      EXIT WHEN v_stretch >= v_over OR NOT EXISTS (SELECT FROM tasker.rolled r WHERE r.stretch = v_stretch)
             OR clock_timestamp() - v_started > interval '500 milliseconds';
      v_stretch := v_stretch + interval '5 minutes';
    END LOOP;
    UPDATE tasker.rolled_until SET until = greatest(until, least(v_stretch, v_over)) WHERE until < least(v_stretch, v_over);
    more := v_stretch < v_over;
    EXIT WHEN NOT more OR done >= p_max OR clock_timestamp() - v_started > interval '500 milliseconds';

    SELECT array_agg(t.task_uuid) FILTER (WHERE x.ended), array_agg(t.task_uuid) FILTER (WHERE NOT x.ended) INTO v_ended, v_open
      FROM tasker.tasks t CROSS JOIN LATERAL (SELECT t.state IN ('complete', 'error', 'cancelled', 'resolved_manually') AS ended) x
     WHERE t.task_uuid >= tasker._uuid_at(v_stretch) AND t.task_uuid < tasker._uuid_at(v_stretch + interval '5 minutes');
    INSERT INTO tasker.rolled (stretch, tasks, left_out)
    VALUES (v_stretch, coalesce(cardinality(v_ended), 0) + coalesce(cardinality(v_open), 0), coalesce(v_open, '{}'));
    INSERT INTO tasker.rolled_tasks SELECT v_stretch, f.* FROM tasker._task_figures(v_ended) f;
    INSERT INTO tasker.rolled_states SELECT v_stretch, f.* FROM tasker._state_figures(v_ended) f;
    INSERT INTO tasker.rolled_steps SELECT v_stretch, f.* FROM tasker._step_figures(v_ended) f;
    done := done + 1;
  END LOOP;
  RETURN NEXT;
END $$;
