-- tasker._bulk_look(status, namespace, versions, tag, correlation, created_after, created_before, after, limit): the tasks that one page of a decision about
-- many looks at, in uuid order after `after` (NULL: from the start), at most `limit`: those that have ended in error (status 'error'), complete ones (status
-- 'complete') or else open ones. Each come from where they are few: of the complete ones only those are looked at that match what indices know;
-- what else is asked of a task says _bulk_tasks.
-- Planned anew for its filters, by a planner that may use everything, as list_tasks is. Locks: none.
CREATE OR REPLACE FUNCTION tasker._bulk_look(p_state text, p_ns text, p_versions uuid[], p_tag text, p_correlation uuid, p_created_after timestamptz,
                                             p_created_before timestamptz, p_after uuid, p_limit int) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on AS $$
DECLARE
  v_from uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
  v_to   uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
BEGIN
  IF p_created_before IS NOT NULL THEN -- ids are made by other clocks
    v_to := tasker._uuid_at(p_created_before + interval '1 day');
  END IF;
  IF p_created_after IS NOT NULL THEN
    v_from := greatest(v_from, tasker._uuid_at(p_created_after - interval '1 day'));
  END IF;
  IF p_state = 'error' THEN
    RETURN array(SELECT e.task_uuid FROM tasker.ended_otherwise e
                  WHERE e.state = 'error' AND (p_ns IS NULL OR e.namespace = p_ns) AND e.task_uuid > v_from AND e.task_uuid < v_to ORDER BY e.task_uuid LIMIT p_limit);
  ELSIF p_state = 'complete' THEN
    RETURN array(SELECT m.task FROM tasker._matching_tasks(p_ns, p_state, NULL, NULL, p_versions, p_tag, p_correlation, NULL, p_created_after, p_created_before) m(task)
                  WHERE m.task > v_from ORDER BY m.task LIMIT p_limit);
  END IF;
  RETURN array(SELECT o.task_uuid FROM tasker.open_tasks o WHERE o.task_uuid > v_from AND o.task_uuid < v_to ORDER BY o.task_uuid LIMIT p_limit);
END $$;
