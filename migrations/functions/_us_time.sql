-- tasker._us_time(µs): a time from microseconds since 1970, exactly. Pure.
CREATE OR REPLACE FUNCTION tasker._us_time(p_us bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT timestamptz 'epoch' + p_us * interval '1 microsecond'
$$;
