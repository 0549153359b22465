-- tasker.act_on_step(task, step, action, actor, reason, data, processor): what a person decides about a step, in one transaction with all
-- that follows from it: counters, children, timers, dispatch, the end of the task or its revival.
--   reset_for_retry    error → pending, all attempts before it again; a step that its task's end in error has cancelled: opens the task again, no more
--   resolve_manually   any state → resolved_manually; its children need not wait for it; results stay
--   complete_manually  any state → complete with data.result, as if its handler had said so
--   skip               a step that does not run and has not succeeded → resolved_manually
-- A step that runs is taken from its worker: what that hands in later is stale. A task in error is opened again.
-- Returns one row 'acted', 'unchanged' (it was done before), 'refused' (step_name = the step's state), 'ended' (step_name = the task's
-- state), 'unknown' (no such step) or 'foreign' (of another task); for 'acted' also 'called_off' (step_uuid, attempt: its worker is to be
-- told), 'relatives' (the sub-task it waited for is to be looked at), 'queued', 'timer' and 'done'.
-- Locks: the task row. Writes: workflow_steps, step_results, history, step_timers, tasks, open_tasks, PGMQ.
CREATE OR REPLACE FUNCTION tasker.act_on_step(p_task uuid, p_step uuid, p_action text, p_actor text, p_reason text, p_data text, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
  RETURN QUERY SELECT r.* FROM tasker._act_on_steps(p_task, ARRAY[p_step], p_action, p_actor, p_reason, p_data, p_processor) r;
END $$;
