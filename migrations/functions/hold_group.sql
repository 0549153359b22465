-- tasker.hold_group(namespace, name, version, on, actor, reason, after, limit, processor): pauses or resumes a namespace (name NULL) or a
-- template (version NULL: all its versions). New tasks of it are held from the commit on, open ones in pages of `limit` looked at, in
-- uuid order after `after` (NULL: from the start); saying it again changes nothing. Who and why is kept until it is resumed.
-- Returns one row 'group' (idx = how many tasks changed) or 'unknown', 'next' (task_uuid: go on after it) while there may be more,
-- and what follows from each task.
CREATE OR REPLACE FUNCTION tasker.hold_group(p_ns text, p_name text, p_version text, p_on boolean, p_actor text, p_reason text, p_after uuid,
                                             p_limit int, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_bit   int := CASE WHEN p_name IS NULL THEN 4 ELSE 2 END;
  v_known boolean;
  v_seen  uuid[];
  v_task  uuid[];
BEGIN
  IF p_name IS NULL THEN
    UPDATE tasker.namespaces ns
       SET paused = p_on, paused_by = CASE WHEN p_on THEN CASE WHEN ns.paused THEN ns.paused_by ELSE p_actor END END,
           paused_reason = CASE WHEN p_on THEN CASE WHEN ns.paused THEN ns.paused_reason ELSE p_reason END END,
           paused_at = CASE WHEN p_on THEN CASE WHEN ns.paused THEN ns.paused_at ELSE clock_timestamp() END END
     WHERE ns.name = p_ns;
  ELSE
    UPDATE tasker.named_tasks nt
       SET paused = p_on, paused_by = CASE WHEN p_on THEN CASE WHEN nt.paused THEN nt.paused_by ELSE p_actor END END,
           paused_reason = CASE WHEN p_on THEN CASE WHEN nt.paused THEN nt.paused_reason ELSE p_reason END END,
           paused_at = CASE WHEN p_on THEN CASE WHEN nt.paused THEN nt.paused_at ELSE clock_timestamp() END END
      FROM tasker.namespaces ns
     WHERE ns.namespace_uuid = nt.namespace_uuid AND ns.name = p_ns AND nt.name = p_name AND (p_version IS NULL OR nt.version = p_version);
  END IF;
  v_known := FOUND;
  IF NOT v_known THEN
    RETURN NEXT tasker._row('unknown', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    RETURN;
  END IF;
  v_seen := array(SELECT o.task_uuid FROM tasker.open_tasks o WHERE p_after IS NULL OR o.task_uuid > p_after ORDER BY o.task_uuid LIMIT p_limit);
  v_task := array(SELECT t.task_uuid FROM unnest(v_seen) u(task) JOIN tasker.tasks t ON t.task_uuid = u.task
                    JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid
                   WHERE t.namespace = p_ns AND (t.held & v_bit <> 0) <> p_on
                     AND (p_name IS NULL OR (nt.name = p_name AND (p_version IS NULL OR nt.version = p_version))));
  RETURN NEXT tasker._row('group', cardinality(v_task), NULL, NULL, NULL, NULL, NULL, NULL);
  IF cardinality(v_seen) = p_limit THEN
    RETURN NEXT tasker._row('next', NULL, NULL, v_seen[p_limit], NULL, NULL, NULL, NULL);
  END IF;
  RETURN QUERY SELECT r.* FROM tasker.hold_tasks(v_task, v_bit, p_on, p_actor, p_reason, p_processor) r;
END $$;
