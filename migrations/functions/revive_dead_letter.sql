-- tasker.revive_dead_letter(entry, actor, reason, processor): sets the task of a pending entry going again and closes the entry, in one
-- transaction: failed steps have all their attempts before them, what the task's end cancelled is pending again, a task in error is open. A task
-- that was set aside is resumed; one that goes on by itself is left as it is.
-- Returns one row 'acted' (task_uuid; idx = seconds it was pending), 'unchanged' (it was revived before), 'refused' (step_name = how it was closed), 'ended' (step_name = the
-- task's state: complete, cancelled or resolved, nothing to revive) or 'unknown'; after 'acted' also 'queued', 'timer' and 'done'.
-- Locks: the task row, then the entry. Writes: dead_letters and what act_on_step writes.
CREATE OR REPLACE FUNCTION tasker.revive_dead_letter(p_entry uuid, p_actor text, p_reason text, p_processor uuid) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_now   timestamptz := clock_timestamp();
  v_task  uuid;
  v_state tasker.task_state;
  v_entry tasker.dead_letters;
  v_kind  text;
BEGIN
  SELECT d.task_uuid INTO v_task FROM tasker.dead_letters d WHERE d.dlq_entry_uuid = p_entry;
  SELECT t.state INTO v_state FROM tasker.tasks t WHERE t.task_uuid = v_task FOR NO KEY UPDATE;
  SELECT * INTO v_entry FROM tasker.dead_letters d WHERE d.dlq_entry_uuid = p_entry FOR UPDATE;
  v_kind := CASE WHEN v_entry.dlq_entry_uuid IS NULL OR v_state IS NULL THEN 'unknown'
                 WHEN v_entry.resolution_status <> 'pending' AND v_entry.revived THEN 'unchanged'
                 WHEN v_entry.resolution_status <> 'pending' THEN 'refused'
                 WHEN v_state IN ('complete', 'cancelled', 'resolved_manually') THEN 'ended'
                 ELSE 'acted' END;
  RETURN NEXT tasker._row(v_kind, greatest(0, extract(epoch FROM v_now - v_entry.dlq_timestamp))::int, p_entry, v_task, NULL, NULL, CASE v_kind WHEN 'refused' THEN v_entry.resolution_status::text ELSE v_state::text END, NULL);
  IF v_kind <> 'acted' THEN RETURN; END IF;

  RETURN QUERY SELECT r.* FROM tasker._act_on_steps(v_task, array(SELECT s.workflow_step_uuid FROM tasker.workflow_steps s WHERE s.task_uuid = v_task AND s.state = 'error'
                                                                  ORDER BY s.step_no, s.instance), 'reset_for_retry', p_actor, p_reason, NULL, p_processor) r
                WHERE r.kind NOT IN ('acted', 'unchanged');
  SELECT t.state INTO v_state FROM tasker.tasks t WHERE t.task_uuid = v_task;
  IF v_state = 'error' THEN -- none of its steps had failed
    RETURN QUERY SELECT r.* FROM tasker._set_going(v_task, tasker._reopen_task(v_task, p_actor, p_reason), p_processor) r;
  END IF;
  IF EXISTS (SELECT 1 FROM tasker.tasks t WHERE t.task_uuid = v_task AND t.held & 16 <> 0) THEN
    RETURN QUERY SELECT r.* FROM tasker._hold(v_task, 17, false, p_processor) r;
  END IF;
  INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
  SELECT v_task, t.state, t.state, v_now, p_processor, jsonb_build_object('action', 'revive', 'actor', p_actor, 'reason', p_reason, 'dlq_entry_uuid', p_entry)
    FROM tasker.tasks t WHERE t.task_uuid = v_task;
  UPDATE tasker.dead_letters d
     SET resolution_status = 'manually_resolved', resolution_timestamp = clock_timestamp(), resolution_notes = p_reason, resolved_by = p_actor,
         revived = true, updated_at = clock_timestamp()
   WHERE d.dlq_entry_uuid = p_entry;
END $$;
