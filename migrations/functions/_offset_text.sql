-- tasker._offset_text(at): a point in time as the analytics of the contract spell it, with its offset (UTC).
CREATE OR REPLACE FUNCTION tasker._offset_text(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
$$;
