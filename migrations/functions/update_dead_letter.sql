-- tasker.update_dead_letter(entry, status, notes, by, metadata): what people write down about an entry; NULL leaves a column as it is. The
-- task is not touched. 'pending' opens a closed entry again. metadata is merged into what is there when both are objects, else it replaces it.
-- Returns the outcome 'updated', with `seconds` it had been pending when this closed it, 'unknown', or 'pending' (another entry of its task is pending: there can be one only).
-- Locks: the task row, then the entry.
DROP FUNCTION IF EXISTS tasker.update_dead_letter(uuid, text, text, text, text); -- when it returned the outcome alone
CREATE OR REPLACE FUNCTION tasker.update_dead_letter(p_entry uuid, p_status text, p_notes text, p_by text, p_metadata text)
RETURNS TABLE (outcome text, seconds float8)
LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_task uuid;
  v_was  tasker.dlq_resolution;
  v_from timestamptz;
BEGIN
  SELECT d.task_uuid INTO v_task FROM tasker.dead_letters d WHERE d.dlq_entry_uuid = p_entry;
  IF NOT FOUND THEN RETURN QUERY SELECT 'unknown', NULL::float8; RETURN; END IF;
  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = v_task FOR NO KEY UPDATE;
  IF p_status = 'pending' AND EXISTS (SELECT 1 FROM tasker.dead_letters d
                                       WHERE d.task_uuid = v_task AND d.resolution_status = 'pending' AND d.dlq_entry_uuid <> p_entry) THEN
    RETURN QUERY SELECT 'pending', NULL::float8;
    RETURN;
  END IF;
  SELECT d.resolution_status, d.dlq_timestamp INTO v_was, v_from FROM tasker.dead_letters d WHERE d.dlq_entry_uuid = p_entry FOR UPDATE;
  UPDATE tasker.dead_letters d
     SET resolution_status = coalesce(p_status::tasker.dlq_resolution, d.resolution_status),
         resolution_timestamp = CASE WHEN p_status = 'pending' THEN NULL WHEN p_status IS NOT NULL THEN v_now ELSE d.resolution_timestamp END,
         resolution_notes = coalesce(p_notes, d.resolution_notes), resolved_by = coalesce(p_by, d.resolved_by),
         metadata = CASE WHEN p_metadata IS NULL THEN d.metadata
                         WHEN jsonb_typeof(p_metadata::jsonb) = 'object' AND jsonb_typeof(d.metadata) = 'object' THEN d.metadata || p_metadata::jsonb
                         ELSE p_metadata::jsonb END,
         revived = d.revived AND p_status IS DISTINCT FROM 'pending', updated_at = v_now
   WHERE d.dlq_entry_uuid = p_entry;
  RETURN QUERY SELECT CASE WHEN FOUND THEN 'updated' ELSE 'unknown' END,
                      CASE WHEN v_was = 'pending' AND p_status <> 'pending' THEN greatest(0, extract(epoch FROM v_now - v_from))::float8 END;
END $$;
