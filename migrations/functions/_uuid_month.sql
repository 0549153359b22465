-- tasker._uuid_month(uuid): the first day of the month (UTC) that a version 7 uuid was made in; NULL for another version.
CREATE OR REPLACE FUNCTION tasker._uuid_month(p_uuid uuid) RETURNS date LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT date_trunc('month', to_timestamp(('x' || replace(left(p_uuid::text, 13), '-', ''))::bit(48)::bigint / 1000.0) AT TIME ZONE 'UTC')::date
   WHERE substr(p_uuid::text, 15, 1) = '7'
$$;
