-- tasker.fetch_history(limit): the next rows of the cursor that tasker.export_history opened in this transaction. Fewer
-- than `limit`: that was its end, and it is closed.
CREATE OR REPLACE FUNCTION tasker.fetch_history(p_limit int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  v_rows refcursor := 'history_export';
  v_line text;
BEGIN
  FOR i IN 1 .. p_limit LOOP
    FETCH v_rows INTO v_line;
    IF NOT FOUND THEN CLOSE v_rows; EXIT; END IF;
    RETURN NEXT v_line;
  END LOOP;
END $$;
