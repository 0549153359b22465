-- tasker._first_uuid(time): the least version 7 uuid of that millisecond: what was made before it sorts below, what was made later above.
CREATE OR REPLACE FUNCTION tasker._first_uuid(p_at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT (lpad(to_hex(floor(extract(epoch FROM p_at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
