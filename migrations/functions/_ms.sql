-- tasker._ms(from, to): milliseconds between two times, with three digits after the point. NULL when one is. Pure.
CREATE OR REPLACE FUNCTION tasker._ms(p_from timestamptz, p_to timestamptz) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT round(extract(epoch FROM p_to - p_from) * 1000, 3)
$$;
