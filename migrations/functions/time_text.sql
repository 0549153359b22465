-- tasker.time_text(at, style): a point in time as the REST contract spells it (UTC).
--   style 'zoned'  2025-06-01T10:00:00.123456Z   task times, and every step time (six digits always)
--   style 'naive'  2025-06-01T10:00:00.123456    times inside a task's list of steps
-- Returns NULL for NULL. Locks: none. STABLE as to_char is: only so it is inlined (8 µs a call otherwise).
CREATE OR REPLACE FUNCTION tasker.time_text(p_at timestamptz, p_style text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || CASE p_style WHEN 'zoned' THEN 'Z' ELSE '' END
$$;
