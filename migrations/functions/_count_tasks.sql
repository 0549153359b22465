-- tasker._count_tasks(filters…): how many tasks match every filter that is not NULL (_matches), at present. It looks at all of them, so it is planned anew for its filters, by a
-- planner that may use everything. Those that are open or ended otherwise than complete are few, and have tables of their own; complete is whoever is in neither. Locks: none.
CREATE OR REPLACE FUNCTION tasker._count_tasks(p_namespace text, p_status text, p_initiator text, p_source text, p_versions uuid[], p_tag text,
                                               p_correlation uuid, p_parent uuid, p_after timestamptz, p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on AS $$
DECLARE
  v_complete boolean := coalesce(p_status IN ('complete', 'completed'), false);
  v_status   text := CASE WHEN NOT v_complete THEN p_status END;
  v_ids      uuid[] := tasker._created_ids(p_after, p_before);
  v_n        bigint := 0;
  v_others   bigint := 0;
BEGIN
  IF v_status IS NULL AND p_tag IS NOT NULL THEN
    SELECT count(*) INTO v_n FROM tasker.task_tags g JOIN tasker.tasks t ON t.task_uuid = g.task_uuid
     WHERE g.tag = p_tag AND g.task_uuid >= v_ids[1] AND g.task_uuid < v_ids[2]
       AND tasker._matches(t, p_namespace, NULL, p_initiator, p_source, p_versions, NULL, p_correlation, p_parent, p_after, p_before);
  ELSIF v_status IS NULL THEN
    SELECT count(*) INTO v_n FROM tasker.tasks t
     WHERE t.task_uuid >= v_ids[1] AND t.task_uuid < v_ids[2]
       AND tasker._matches(t, p_namespace, NULL, p_initiator, p_source, p_versions, NULL, p_correlation, p_parent, p_after, p_before);
  END IF;
  IF p_status IS NOT NULL THEN
    SELECT count(*) INTO v_others
      FROM (SELECT o.task_uuid FROM tasker.open_tasks o UNION ALL SELECT e.task_uuid FROM tasker.ended_otherwise e WHERE v_status IS NULL OR e.state::text = v_status) f
      JOIN tasker.tasks t ON t.task_uuid = f.task_uuid
     WHERE tasker._matches(t, p_namespace, v_status, p_initiator, p_source, p_versions, p_tag, p_correlation, p_parent, p_after, p_before);
  END IF;
  RETURN CASE WHEN v_complete THEN v_n - v_others ELSE v_n + v_others END;
END $$;
