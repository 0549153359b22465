-- tasker._end_task(task, state, reason, processor): ends a task because of time: 'cancelled' or 'error', with everything of it that has not
-- ended; in 'error' what failed stays failed. Reason and actor ('timer') stand in its history, the reason also in its message.
-- Returns 'called_off' rows (their workers are to be told; step_name: what) and one 'done' row.
-- Locks: the caller holds the task row. Writes: tasks, open_tasks, ended_otherwise, task_transitions, and what _end_steps does.
CREATE OR REPLACE FUNCTION tasker._end_task(p_task uuid, p_to tasker.task_state, p_reason text, p_processor uuid) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_was tasker.task_state;
  v_ns  text;
BEGIN
  SELECT t.state, t.namespace INTO v_was, v_ns FROM tasker.tasks t WHERE t.task_uuid = p_task;
  RETURN QUERY SELECT (tasker._row('called_off', NULL, e.step_uuid, p_task, e.attempt, v_ns, 'its task has timed out', NULL)).*
                 FROM tasker._end_steps(p_task, 'timer', p_reason, p_to = 'error') e;
  UPDATE tasker.tasks t SET state = p_to, updated_at = v_now, completed_at = v_now, message = p_reason WHERE t.task_uuid = p_task;
  PERFORM tasker._ended_otherwise(p_task);
  INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
  VALUES (p_task, v_was, p_to, v_now, p_processor, jsonb_build_object('actor', 'timer', 'reason', p_reason));
  DELETE FROM tasker.open_tasks o WHERE o.task_uuid = p_task;
  RETURN NEXT tasker._row('done', NULL, NULL, p_task, NULL, NULL, p_to::text, NULL);
END $$;
