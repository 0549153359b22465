-- tasker._error_text(result): the message of a failure, as its worker gave it; NULL when it gave none. Pure.
CREATE OR REPLACE FUNCTION tasker._error_text(p_result json) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE v_result json := tasker._readable(p_result);
BEGIN
  RETURN coalesce(v_result -> 'error' ->> 'message', v_result ->> 'error');
END $$;
