-- tasker.add_dead_letter(task, actor, reason): a person wants a task looked into: an entry 'manual_dlq' for it, whatever its state. The task
-- goes on as it did.
-- Returns the entry, and whether it was made now: one that is pending already stays the only one. No row for an unknown task.
-- Locks: the task row. Writes: dead_letters.
CREATE OR REPLACE FUNCTION tasker.add_dead_letter(p_task uuid, p_actor text, p_reason text) RETURNS TABLE (entry uuid, made boolean) LANGUAGE plpgsql AS $$
DECLARE v_made int;
BEGIN
  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
  SELECT count(*) INTO v_made FROM tasker._dead_letters(ARRAY[p_task], ARRAY['manual_dlq'::tasker.dlq_reason],
                                                        ARRAY[jsonb_build_object('detection_method', 'manual', 'actor', p_actor, 'reason', p_reason)]);
  RETURN QUERY SELECT d.dlq_entry_uuid, v_made > 0 FROM tasker.dead_letters d WHERE d.task_uuid = p_task AND d.resolution_status = 'pending';
END $$;
