-- tasker._new_uuid(): a version 7 uuid of this moment, for rows that no service makes.
CREATE OR REPLACE FUNCTION tasker._new_uuid() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT (lpad(to_hex(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
          || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;
