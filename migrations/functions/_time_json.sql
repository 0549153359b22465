-- tasker._time_json(at, style): time_text as a JSON value, null for NULL. Locks: none. Inlined.
CREATE OR REPLACE FUNCTION tasker._time_json(p_at timestamptz, p_style text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce('"' || tasker.time_text(p_at, p_style) || '"', 'null')
$$;
