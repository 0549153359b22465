-- tasker._as_jsonb(document): the same as jsonb, what text cannot hold spelled out (_readable); NULL when it is none that jsonb takes: nested too deeply, or
-- a number that no numeric holds. Pure.
CREATE OR REPLACE FUNCTION tasker._as_jsonb(p_document json) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN tasker._readable(p_document)::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN NULL;
END $$;
