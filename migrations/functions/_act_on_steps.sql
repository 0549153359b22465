-- tasker._act_on_steps(task, steps, action, actor, reason, data, processor): the same action on several steps of a task, and once for all of them what follows: it costs what
-- they are, not what they are times what the task has. Rows of act_on_step. Locks: the caller holds the task row.
CREATE OR REPLACE FUNCTION tasker._act_on_steps(p_task uuid, p_steps uuid[], p_action text, p_actor text, p_reason text, p_data text, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_step    uuid;
  v_row     tasker.engine_row;
  v_touched uuid[] := '{}';
  v_reset   uuid[] := '{}';
BEGIN
  FOREACH v_step IN ARRAY p_steps LOOP
    FOR v_row IN SELECT r.* FROM tasker._act(p_task, v_step, p_action, p_actor, p_reason, p_data) r LOOP
      IF v_row.kind = 'touched' THEN
        v_touched := v_touched || v_row.step_uuid;
      ELSE
        IF v_row.kind = 'acted' AND p_action = 'reset_for_retry' THEN v_reset := v_reset || v_step; END IF;
        RETURN NEXT v_row;
      END IF;
    END LOOP;
  END LOOP;
  v_reset := array(SELECT s.workflow_step_uuid FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = ANY (v_reset) AND tasker._isolated(s.instance, s.inputs));
  IF v_reset <> '{}' THEN -- they gave their places in the window away
    v_touched := v_touched || array(SELECT tasker._take_turns(p_task, v_reset));
  END IF;
  IF v_touched <> '{}' THEN
    RETURN QUERY SELECT r.* FROM tasker._set_going(p_task, v_touched, p_processor) r;
  END IF;
END $$;
