-- tasker._has_room(task, step_no, inputs of an instance): are fewer instances of this batch at work, or about to be, than its window lets? Only isolated
-- batches, whose instances may want a place back, have their window in the inputs; one of before they had it has room. Locks: the caller holds the task row.
CREATE OR REPLACE FUNCTION tasker._has_room(p_task uuid, p_step_no int, p_inputs json) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE v_window int := (p_inputs ->> '__window')::int;
BEGIN
  RETURN v_window IS NULL OR v_window > (SELECT count(*) FROM tasker.workflow_steps s
           WHERE s.task_uuid = p_task AND s.step_no = p_step_no AND s.instance > 0 AND NOT s.no_room
             AND s.state NOT IN ('complete', 'resolved_manually', 'cancelled', 'error'));
END $$;
