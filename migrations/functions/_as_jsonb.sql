-- tasker._as_jsonb(document): the same as jsonb; NULL when it is none that jsonb takes: what a handler wrote may be kept without being readable (\u0000). Pure.
CREATE OR REPLACE FUNCTION tasker._as_jsonb(p_document json) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN p_document::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN NULL;
END $$;
