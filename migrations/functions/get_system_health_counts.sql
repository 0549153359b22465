-- tasker.get_system_health_counts(): tasks per state and steps per state, as (kind, state, n). What roll_up has added up is taken from there, the others are
-- counted by their rows, all at one moment: exact.
CREATE OR REPLACE FUNCTION tasker.get_system_health_counts() RETURNS TABLE (kind text, state text, n bigint)
LANGUAGE sql STABLE AS $$
  SELECT f.kind, f.state, sum(f.n)::bigint
    FROM (SELECT r.kind, r.state, r.n FROM tasker.rolled_states r
          UNION ALL
          SELECT * FROM tasker._state_figures(tasker._counted_by_row('2020-01-01T00:00:00Z'))) f
   GROUP BY 1, 2
$$;
