-- tasker._uuid_json(uuid): a UUID as a JSON value, null for NULL. Pure, inlined.
CREATE OR REPLACE FUNCTION tasker._uuid_json(p_uuid uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce('"' || p_uuid::text || '"', 'null')
$$;
