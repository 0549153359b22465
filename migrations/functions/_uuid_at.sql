DROP FUNCTION IF EXISTS tasker._first_uuid(timestamptz); -- its twin
-- tasker._uuid_at(at): the smallest UUID v7 made at that time: task ids are ordered by time, so a range of times is a range of the primary key. Pure.
CREATE OR REPLACE FUNCTION tasker._uuid_at(p_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT rpad(lpad(to_hex(greatest(0, floor(extract(epoch FROM p_at) * 1000))::bigint), 12, '0'), 32, '0')::uuid
$$;
