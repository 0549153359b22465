-- tasker._uuid_time(uuid): when a version 7 uuid was made, to the millisecond. Pure.
CREATE OR REPLACE FUNCTION tasker._uuid_time(p_uuid uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT to_timestamp(('x' || left(replace(p_uuid::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;
