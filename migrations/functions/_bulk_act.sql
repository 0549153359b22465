-- tasker._bulk_act(action, task, steps, actor, reason, data, processor): what a decision about many does to steps of one task, by the name it has there. Rows of act_on_step and
-- rerun_step. Locks: the caller holds the task row.
CREATE OR REPLACE FUNCTION tasker._bulk_act(p_action text, p_task uuid, p_steps uuid[], p_actor text, p_reason text, p_data text, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
BEGIN
  IF p_action = 'rerun' THEN -- names are unique: it is one
    RETURN QUERY SELECT r.* FROM unnest(p_steps) u(step), LATERAL tasker.rerun_step(p_task, u.step, p_data, p_actor, p_reason, p_processor) r;
  ELSE
    RETURN QUERY SELECT r.* FROM tasker._act_on_steps(p_task, p_steps, CASE p_action WHEN 'reset' THEN 'reset_for_retry' WHEN 'resolve' THEN 'resolve_manually'
                                                        WHEN 'complete' THEN 'complete_manually' ELSE p_action END, p_actor, p_reason, p_data, p_processor) r;
  END IF;
END $$;
