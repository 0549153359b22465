-- tasker.delete_tasks(tasks): deletes tasks that choose_expired gave to this transaction, with all that belongs to them. Returns how many tasks and steps.
-- Analytics goes on counting them (_roll_in). Locks: the caller holds the task rows and roll_up's lock; everything else hangs on these.
CREATE OR REPLACE FUNCTION tasker.delete_tasks(p_tasks uuid[]) RETURNS TABLE (tasks bigint, steps bigint) LANGUAGE plpgsql AS $$
DECLARE
  v_from uuid := (SELECT u FROM unnest(p_tasks) u ORDER BY 1 LIMIT 1); -- excludes the other months
  v_to   uuid := (SELECT u FROM unnest(p_tasks) u ORDER BY 1 DESC LIMIT 1);
  v_step uuid[] := tasker._all_steps(p_tasks);
BEGIN
  PERFORM tasker._roll_in(p_tasks);
  DELETE FROM tasker.step_results r WHERE r.task_uuid = ANY (p_tasks) AND r.task_uuid BETWEEN v_from AND v_to;
  DELETE FROM tasker.workflow_step_transitions r WHERE r.workflow_step_uuid = ANY (v_step) AND r.task_uuid BETWEEN v_from AND v_to;
  DELETE FROM tasker.task_transitions r WHERE r.task_uuid = ANY (p_tasks) AND r.task_uuid BETWEEN v_from AND v_to;
  DELETE FROM tasker.step_timers r WHERE r.workflow_step_uuid = ANY (v_step);
  DELETE FROM tasker.queue_timers r WHERE r.workflow_step_uuid = ANY (v_step);
  DELETE FROM tasker.workflow_step_edges r WHERE r.to_step_uuid = ANY (v_step);
  DELETE FROM tasker.workflow_step_edges r WHERE r.from_step_uuid = ANY (v_step);
  DELETE FROM tasker.superseded_steps r WHERE r.task_uuid = ANY (p_tasks);
  DELETE FROM tasker.task_generations r WHERE r.task_uuid = ANY (p_tasks);
  DELETE FROM tasker.dead_letters r WHERE r.task_uuid = ANY (p_tasks);
  DELETE FROM tasker.sub_tasks r WHERE r.child_uuid = ANY (p_tasks);
  DELETE FROM tasker.sub_tasks r WHERE r.parent_uuid = ANY (p_tasks);
  DELETE FROM tasker.ended_otherwise r WHERE r.task_uuid = ANY (p_tasks);
  DELETE FROM tasker.task_tags r USING tasker.tasks t, jsonb_array_elements_text(t.tags) x(tag) WHERE t.task_uuid = ANY (p_tasks) AND r.tag = x.tag AND r.task_uuid = t.task_uuid;
  DELETE FROM tasker.workflow_steps r WHERE r.task_uuid = ANY (p_tasks);
  GET DIAGNOSTICS steps = ROW_COUNT;
  DELETE FROM tasker.tasks r WHERE r.task_uuid = ANY (p_tasks);
  GET DIAGNOSTICS tasks = ROW_COUNT;
  RETURN NEXT;
END $$;
