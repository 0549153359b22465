-- tasker._row(kind, idx, …): an engine row that is not an assignment; absent columns are NULL.
CREATE OR REPLACE FUNCTION tasker._row(p_kind text, p_idx int, p_step uuid, p_task uuid, p_attempt int, p_namespace text,
                                       p_name text, p_due timestamptz) RETURNS tasker.engine_row
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ROW(p_kind, p_idx, p_due, p_step, p_task, p_attempt, NULL, p_namespace, NULL, p_name,
             NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::tasker.engine_row
$$;
