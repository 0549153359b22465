-- tasker.export_history(table, month): opens the cursor `history_export` over a month of a history table, one JSON object a row, for the transaction
-- it is called in. Nobody can add to what it reads before that ends, so a drop in the same transaction loses nothing.
CREATE OR REPLACE FUNCTION tasker.export_history(p_table text, p_month date) RETURNS refcursor LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
DECLARE
  v_rows refcursor := 'history_export';
  v_name text := format('%s_%s', p_table, to_char(p_month, 'YYYYMM'));
BEGIN
  EXECUTE format('LOCK TABLE tasker.%I IN SHARE MODE', v_name);
  OPEN v_rows NO SCROLL FOR EXECUTE format('SELECT row_to_json(x)::text AS line FROM tasker.%I x', v_name);
  RETURN v_rows;
END $$;
