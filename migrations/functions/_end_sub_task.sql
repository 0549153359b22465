-- tasker._end_sub_task(child, failed, processor): ends a child that has not ended. failed: it is blocked by failures and its parent does not wait
-- until somebody has seen to them: error, with its failed steps as they are, so that they can still be acted upon; else nobody waits for it: cancelled.
-- Returns 'called_off' for steps in progress and 'done'. Locks: the caller holds the task row. Writes: as cancel_task.
CREATE OR REPLACE FUNCTION tasker._end_sub_task(p_child uuid, p_failed boolean, p_processor uuid) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v     record;
BEGIN
  IF NOT p_failed THEN
    FOR v IN SELECT * FROM tasker.cancel_task(p_child, 'tasker', 'the step that started it does not wait for it any more', p_processor) c WHERE c.step_uuid IS NOT NULL LOOP
      RETURN NEXT tasker._row('called_off', NULL, v.step_uuid, p_child, v.attempt, NULL, NULL, NULL);
    END LOOP;
    RETURN NEXT tasker._row('done', NULL, NULL, p_child, NULL, NULL, 'cancelled', NULL);
    RETURN;
  END IF;
  FOR v IN SELECT * FROM tasker._end_steps(p_child, 'tasker', 'its task has failed and its parent does not wait for it', true) LOOP
    RETURN NEXT tasker._row('called_off', NULL, v.step_uuid, p_child, v.attempt, NULL, NULL, NULL);
  END LOOP;
  INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
  SELECT t.task_uuid, t.state, 'error', v_now, p_processor, jsonb_build_object('actor', 'tasker', 'reason', 'blocked by failures, and its parent does not wait for it')
    FROM tasker.tasks t WHERE t.task_uuid = p_child;
  UPDATE tasker.tasks t SET state = 'error', updated_at = v_now, completed_at = v_now WHERE t.task_uuid = p_child;
  PERFORM tasker._ended_otherwise(p_child);
  DELETE FROM tasker.open_tasks o WHERE o.task_uuid = p_child;
  RETURN NEXT tasker._row('done', NULL, NULL, p_child, NULL, NULL, 'error', NULL);
END $$;
