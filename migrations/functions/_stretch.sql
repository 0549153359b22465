-- tasker._stretch(at): the beginning of the five minutes that a time falls into. Pure.
CREATE OR REPLACE FUNCTION tasker._stretch(p_at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT date_bin('5 minutes', p_at, '2020-01-01T00:00:00Z')
$$;
