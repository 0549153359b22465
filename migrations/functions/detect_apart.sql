-- tasker.detect_apart(limits, served, dry, move, fail, most, after, page, processor): what detect_stale_tasks does, task by task, when it raised: those that raise alone are set
-- aside, and not judged again. dry: they are only passed over.
-- Returns: as detect_stale_tasks, and 'set_aside' with what follows. Locks: the stale tasks' rows in uuid order, skipping those in use.
CREATE OR REPLACE FUNCTION tasker.detect_apart(p_limits int[], p_served text[], p_dry boolean, p_move boolean, p_fail boolean, p_most int, p_after uuid, p_page int,
                                               p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_seen  uuid[] := array(SELECT o.task_uuid FROM tasker.open_tasks o WHERE o.task_uuid > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
                           ORDER BY o.task_uuid LIMIT p_page);
  v_found int := 0;
  v_task  uuid;
  v_rows  tasker.engine_row[];
BEGIN
  RETURN NEXT tasker._row('page', cardinality(v_seen), NULL, NULL, NULL, NULL, NULL, NULL);
  IF cardinality(v_seen) = p_page THEN
    RETURN NEXT tasker._row('next', NULL, NULL, v_seen[p_page], NULL, NULL, NULL, NULL);
  END IF;
  FOREACH v_task IN ARRAY v_seen LOOP
    EXIT WHEN v_found >= p_most;
    BEGIN
      v_rows := array(SELECT r FROM tasker.detect_stale_tasks(p_limits, p_served, p_dry, p_move, p_fail, 1, NULL, 1, p_processor, v_task) r WHERE r.kind NOT IN ('page', 'next'));
    EXCEPTION WHEN OTHERS THEN
      IF NOT tasker._at_fault(SQLSTATE) THEN RAISE; END IF;
      CONTINUE WHEN p_dry;
      v_rows := array(SELECT r FROM tasker.set_aside(v_task, NULL, 'detect_stale_tasks', SQLSTATE, SQLERRM, p_processor) r);
    END;
    v_found := v_found + (SELECT count(*) FROM unnest(v_rows) r WHERE r.kind = 'detected');
    RETURN QUERY SELECT r.* FROM unnest(v_rows) r;
  END LOOP;
END $$;
