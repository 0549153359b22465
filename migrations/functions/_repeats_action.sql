-- tasker._repeats_action(task, step, state, action, actor, reason, data): whether a manual action has taken effect already and nothing has happened
-- since that would let it mean something else: whoever got no answer asks again, and nothing is done twice.
CREATE OR REPLACE FUNCTION tasker._repeats_action(p_task uuid, p_step uuid, p_state tasker.step_state, p_action text, p_actor text, p_reason text, p_data jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE v_last record;
BEGIN
  CASE p_action
    WHEN 'resolve_manually', 'skip' THEN
      RETURN p_state = 'resolved_manually';
    WHEN 'complete_manually' THEN
      SELECT tasker._as_jsonb(r.result) AS doc, r.worker_id INTO v_last FROM tasker.step_results r
       WHERE r.task_uuid = p_task AND r.workflow_step_uuid = p_step ORDER BY r.attempt DESC LIMIT 1;
      RETURN p_state = 'complete' AND v_last.worker_id IS NULL AND v_last.doc -> 'result' = p_data -> 'result'
             AND v_last.doc #>> '{metadata,custom,completed_by}' = p_actor AND v_last.doc #>> '{metadata,custom,completion_reason}' = p_reason;
    ELSE -- reset: the last way out of error, or out of its task's end, was this very action
      SELECT h.to_state, h.actor, h.reason INTO v_last FROM tasker.workflow_step_transitions h
       WHERE h.task_uuid = p_task AND h.workflow_step_uuid = p_step AND h.from_state IN ('error', 'cancelled') ORDER BY h.at DESC LIMIT 1;
      RETURN FOUND AND p_state NOT IN ('error', 'cancelled') AND v_last.to_state = 'pending' AND v_last.actor = p_actor AND v_last.reason = p_reason;
  END CASE;
END $$;
