-- tasker._whole_from(since): the first stretch that lies wholly after a time. Pure.
CREATE OR REPLACE FUNCTION tasker._whole_from(p_since timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT tasker._stretch(p_since - interval '1 microsecond') + interval '5 minutes'
$$;
