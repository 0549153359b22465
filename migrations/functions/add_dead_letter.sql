-- tasker.add_dead_letter(task, actor, reason): a person wants a task looked into: an entry 'manual_dlq' for it, whatever its state. The task
-- goes on as it did.
-- Returns the entry, or NULL for an unknown task; the pending one, if there is one. Locks: the task row. Writes: dead_letters.
CREATE OR REPLACE FUNCTION tasker.add_dead_letter(p_task uuid, p_actor text, p_reason text) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
  PERFORM 1 FROM tasker._dead_letters(ARRAY[p_task], ARRAY['manual_dlq'::tasker.dlq_reason],
                                      ARRAY[jsonb_build_object('detection_method', 'manual', 'actor', p_actor, 'reason', p_reason)]);
  RETURN (SELECT d.dlq_entry_uuid FROM tasker.dead_letters d WHERE d.task_uuid = p_task AND d.resolution_status = 'pending');
END $$;
