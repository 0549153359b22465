-- tasker.bulk_dead_letters(action, filters…, dry, actor, reason, after, limit, processor): one page of a decision about many pending entries:
-- 'revive' their tasks, or 'resolve' (close) them. Looks at `limit` pending entries in uuid order after `after` (NULL: from the start) and acts on
-- those that match every filter that is not NULL (why: the entry's reason); dry: only says which. Each page is a transaction: whoever is
-- interrupted goes on, what was done is not pending any more.
-- Returns 'page' (idx = how many were looked at), per entry 'matched' (task_uuid = the entry) and, when something was done, 'changed' (task_uuid = the
-- task, idx = seconds it was pending); 'next' (task_uuid: an entry, go on after it) while there may be more; and what follows: 'queued', 'timer', 'done'.
-- Locks: the matching tasks' rows in uuid order, then their entries.
CREATE OR REPLACE FUNCTION tasker.bulk_dead_letters(p_action text, p_why text, p_ns text, p_name text, p_version text, p_dry boolean, p_actor text,
                                                    p_reason text, p_after uuid, p_limit int, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_seen  uuid[];
  v_entry uuid[];
  v_task  uuid[];
  v       record;
BEGIN
  v_seen := array(SELECT d.dlq_entry_uuid FROM tasker.dead_letters d
                   WHERE d.resolution_status = 'pending' AND d.dlq_entry_uuid > coalesce(p_after, '00000000-0000-0000-0000-000000000000') ORDER BY d.dlq_entry_uuid LIMIT p_limit);
  SELECT coalesce(array_agg(d.dlq_entry_uuid ORDER BY d.task_uuid), '{}'), coalesce(array_agg(d.task_uuid), '{}') INTO v_entry, v_task
    FROM tasker.dead_letters d
    JOIN tasker.tasks t ON t.task_uuid = d.task_uuid
    JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid
   WHERE d.dlq_entry_uuid = ANY (v_seen) AND (p_why IS NULL OR d.dlq_reason::text = p_why) AND (p_ns IS NULL OR t.namespace = p_ns)
     AND (p_name IS NULL OR nt.name = p_name) AND (p_version IS NULL OR nt.version = p_version);
  RETURN NEXT tasker._row('page', cardinality(v_seen), NULL, NULL, NULL, NULL, NULL, NULL);
  RETURN QUERY SELECT (tasker._row('matched', NULL, NULL, u.entry, NULL, NULL, NULL, NULL)).* FROM unnest(v_entry) u(entry);
  IF cardinality(v_seen) = p_limit THEN
    RETURN NEXT tasker._row('next', NULL, NULL, v_seen[p_limit], NULL, NULL, NULL, NULL);
  END IF;
  IF p_dry THEN RETURN; END IF;

  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = ANY (v_task) ORDER BY t.task_uuid FOR NO KEY UPDATE;
  IF p_action = 'resolve' THEN
    RETURN QUERY
    WITH upd AS (
      UPDATE tasker.dead_letters d
         SET resolution_status = 'manually_resolved', resolution_timestamp = clock_timestamp(), resolution_notes = p_reason, resolved_by = p_actor,
             updated_at = clock_timestamp()
       WHERE d.dlq_entry_uuid = ANY (v_entry) AND d.resolution_status = 'pending'
      RETURNING d.task_uuid, greatest(0, extract(epoch FROM d.resolution_timestamp - d.dlq_timestamp))::int AS seconds)
    SELECT (tasker._row('changed', upd.seconds, NULL, upd.task_uuid, NULL, NULL, NULL, NULL)).* FROM upd;
    RETURN;
  END IF;
  FOR v IN SELECT r.* FROM unnest(v_entry) u(entry), LATERAL tasker.revive_dead_letter(u.entry, p_actor, p_reason, p_processor) r LOOP
    IF v.kind = 'acted' THEN
      RETURN NEXT tasker._row('changed', v.idx, NULL, v.task_uuid, NULL, NULL, NULL, NULL);
    ELSIF v.kind NOT IN ('unchanged', 'refused', 'ended', 'unknown') THEN
      RETURN NEXT v;
    END IF;
  END LOOP;
END $$;
