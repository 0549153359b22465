-- tasker.close_dead_letters(keep_s, after, page): one page of tidying up: closes pending entries whose task came to an end after all or went on
-- by itself or by other means, as resolved (cancelled, if the task was); what a person entered, a person closes; one that was set aside goes on when it is resumed. With the first page (after
-- NULL) entries closed more than keep_s seconds ago are deleted, a thousand at a time.
-- Returns 'page' (idx = how many pending ones were looked at), 'next' (task_uuid: an entry, go on after it), 'closed' per entry (task_uuid,
-- step_name = its reason, idx = seconds it was pending) and 'gone' (idx = how many were deleted).
-- Locks: entries that are to be closed, skipping those in use; waits for nobody.
CREATE OR REPLACE FUNCTION tasker.close_dead_letters(p_keep_s int, p_after uuid, p_page int) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_old  timestamptz := v_now - p_keep_s * interval '1 second';
  v_seen uuid[];
  v_gone int;
  v      record;
BEGIN
  IF p_after IS NULL THEN
    DELETE FROM tasker.dead_letters d
     WHERE d.dlq_entry_uuid = ANY (array(SELECT x.dlq_entry_uuid FROM tasker.dead_letters x
                                          WHERE x.dlq_entry_uuid < tasker._uuid_at(v_old) AND x.resolution_status <> 'pending' AND x.resolution_timestamp < v_old
                                          ORDER BY x.dlq_entry_uuid LIMIT 1000 FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    RETURN NEXT tasker._row('gone', v_gone, NULL, NULL, NULL, NULL, NULL, NULL);
  END IF;
  v_seen := array(SELECT d.dlq_entry_uuid FROM tasker.dead_letters d
                   WHERE d.resolution_status = 'pending' AND d.dlq_entry_uuid > coalesce(p_after, '00000000-0000-0000-0000-000000000000') ORDER BY d.dlq_entry_uuid LIMIT p_page);
  RETURN NEXT tasker._row('page', cardinality(v_seen), NULL, NULL, NULL, NULL, NULL, NULL);
  IF cardinality(v_seen) = p_page THEN
    RETURN NEXT tasker._row('next', NULL, NULL, v_seen[p_page], NULL, NULL, NULL, NULL);
  END IF;
  FOR v IN
    SELECT d.dlq_entry_uuid, d.task_uuid, d.dlq_reason, d.dlq_timestamp, t.state
      FROM tasker.dead_letters d JOIN tasker.tasks t ON t.task_uuid = d.task_uuid
     WHERE d.dlq_entry_uuid = ANY (v_seen) AND (d.dlq_reason <> 'manual_dlq' OR d.metadata ->> 'detection_method' = 'set_aside')
       AND (t.state IN ('complete', 'cancelled', 'resolved_manually')
            OR (t.state NOT IN ('error', 'blocked_by_failures') AND t.held & 16 = 0
                AND (t.updated_at > d.dlq_timestamp
                     OR EXISTS (SELECT 1 FROM tasker.workflow_steps s WHERE s.task_uuid = d.task_uuid AND s.updated_at > d.dlq_timestamp))))
       FOR UPDATE OF d SKIP LOCKED
  LOOP
    UPDATE tasker.dead_letters d
       SET resolution_status = (CASE v.state WHEN 'cancelled' THEN 'cancelled' ELSE 'manually_resolved' END)::tasker.dlq_resolution,
           resolution_timestamp = v_now, resolved_by = 'tasker', updated_at = v_now,
           resolution_notes = CASE WHEN v.state IN ('complete', 'cancelled', 'resolved_manually') THEN format('its task has ended: %s', v.state) ELSE 'its task went on' END
     WHERE d.dlq_entry_uuid = v.dlq_entry_uuid AND d.resolution_status = 'pending';
    RETURN NEXT tasker._row('closed', greatest(0, extract(epoch FROM v_now - v.dlq_timestamp))::int, v.dlq_entry_uuid, v.task_uuid, NULL, NULL, v.dlq_reason::text, NULL);
  END LOOP;
END $$;
