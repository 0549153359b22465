-- tasker.get_system_health_counts(): tasks per state and steps per state, as (kind, state, n). What roll_up has added up is taken from there, the others are
-- counted by their rows, all at one moment: exact.
CREATE OR REPLACE FUNCTION tasker.get_system_health_counts() RETURNS TABLE (kind text, state text, n bigint)
LANGUAGE sql STABLE AS $$
  WITH u AS (SELECT until FROM tasker.rolled_until)
  SELECT f.kind, f.state, sum(f.n)::bigint
    FROM (SELECT r.kind, r.state, r.n FROM tasker.rolled_states r, u WHERE r.stretch < u.until
          UNION ALL
          SELECT * FROM tasker._state_figures(array(
            SELECT t.task_uuid FROM u, tasker.tasks t WHERE t.task_uuid >= tasker._uuid_at(u.until)
            UNION ALL SELECT unnest(r.left_out) FROM tasker.rolled r, u WHERE r.stretch < u.until))) f
   GROUP BY 1, 2
$$;
