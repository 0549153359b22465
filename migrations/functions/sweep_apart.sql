-- tasker.sweep_apart(idle_s, limit, after): what sweep does, task by task, when it raised: those that raise alone are set aside, and not swept again.
-- Returns: as sweep, and ('set_aside', task, NULL, why). Locks: one task row at a time, skipping those in use.
CREATE OR REPLACE FUNCTION tasker.sweep_apart(p_idle_s int, p_limit int, p_after uuid) RETURNS TABLE (kind text, task_uuid uuid, step_uuid uuid, what text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_task uuid;
  v_last uuid;
  v_seen int := 0;
  v_why  text;
BEGIN
  FOR v_task IN
    SELECT o.task_uuid FROM tasker.open_tasks o JOIN tasker.tasks t ON t.task_uuid = o.task_uuid
     WHERE coalesce(t.updated_at, t.created_at) < clock_timestamp() - p_idle_s * interval '1 second'
       AND (p_after IS NULL OR o.task_uuid > p_after) AND t.held & 16 = 0
     ORDER BY o.task_uuid LIMIT p_limit
  LOOP
    v_seen := v_seen + 1;
    v_last := v_task;
    BEGIN
      RETURN QUERY SELECT x.* FROM (SELECT array_agg(s) AS rows FROM tasker.sweep(p_idle_s, 1, NULL, v_task) s WHERE s.kind <> 'next') a, unnest(a.rows) x(kind text, task_uuid uuid, step_uuid uuid, what text);
    EXCEPTION WHEN OTHERS THEN
      IF NOT tasker._at_fault(SQLSTATE) THEN RAISE; END IF;
      SELECT r.reason INTO v_why FROM tasker.set_aside(v_task, NULL, 'sweep', SQLSTATE, SQLERRM, NULL) r WHERE r.kind = 'set_aside';
      RETURN QUERY SELECT 'set_aside', v_task, NULL::uuid, v_why;
    END;
  END LOOP;
  IF v_seen = p_limit THEN RETURN QUERY SELECT 'next', v_last, NULL::uuid, NULL::text; END IF;
END $$;
