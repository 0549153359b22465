-- tasker.task_history(task): what became of a task, by whom and why, also in generations before this one. NULL for an unknown task.
--   {task_uuid, status, generation, changes: [{at, from, to, action, actor, reason}], generations: [{generation, at, actor, reason, from_step, step_name,
--    context (the input before, NULL: it was not changed), dropped: [{step_uuid, name, state, attempts, created_at, settled_at}], dropped_count}], more,
--    steps: [see _step_changes], more_steps}
-- Oldest first. changes and steps are at most the newest 1000 (more, more_steps: there may be others), dropped at most 1000 steps of a generation: those that decisions and analyzers
-- had brought and this rerun let go; their results are in GET …/workflow_steps/{step}/audit. Reads: history of the task. Locks: none.
CREATE OR REPLACE FUNCTION tasker.task_history(p_task uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_task    tasker.tasks;
  v_most    constant int := 1000;
  v_changes json;
  v_n       int;
  v_all     json;
  v_steps   json := tasker._step_changes(p_task, v_most);
BEGIN
  SELECT * INTO v_task FROM tasker.tasks t WHERE t.task_uuid = p_task;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT count(*), json_agg(json_build_object('at', tasker.time_text(c.at, 'zoned'), 'from', c.from_state, 'to', c.to_state, 'action', c.metadata ->> 'action',
                                              'actor', c.metadata ->> 'actor', 'reason', c.metadata ->> 'reason') ORDER BY c.at) FILTER (WHERE c.place <= v_most)
    INTO v_n, v_changes
    FROM (SELECT h.*, row_number() OVER (ORDER BY h.at DESC) AS place FROM tasker.task_transitions h WHERE h.task_uuid = p_task ORDER BY h.at DESC LIMIT v_most + 1) c;
  SELECT json_agg(json_build_object(
           'generation', g.generation, 'at', tasker.time_text(g.at, 'zoned'), 'actor', g.actor, 'reason', g.reason, 'from_step', g.from_step,
           'step_name', coalesce((SELECT s.name FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = g.from_step),
                                 (SELECT s.name FROM tasker.superseded_steps s WHERE s.workflow_step_uuid = g.from_step)),
           'context', g.context,
           'dropped', coalesce((SELECT json_agg(json_build_object('step_uuid', d.workflow_step_uuid, 'name', d.name, 'state', d.state, 'attempts', d.attempts,
                                                                  'created_at', tasker.time_text(d.created_at, 'zoned'), 'settled_at', tasker.time_text(d.settled_at, 'zoned'))
                                                ORDER BY d.step_no, d.instance)
                                  FROM (SELECT x.* FROM tasker.superseded_steps x WHERE x.task_uuid = p_task AND x.generation = g.generation - 1
                                         ORDER BY x.step_no, x.instance LIMIT v_most) d), '[]'),
           'dropped_count', (SELECT count(*) FROM tasker.superseded_steps x WHERE x.task_uuid = p_task AND x.generation = g.generation - 1)) ORDER BY g.generation)
    INTO v_all FROM tasker.task_generations g WHERE g.task_uuid = p_task;
  RETURN json_build_object('task_uuid', p_task, 'status', v_task.state, 'generation', v_task.generation, 'changes', coalesce(v_changes, '[]'),
                           'generations', coalesce(v_all, '[]'), 'more', v_n > v_most, 'steps', v_steps, 'more_steps', json_array_length(v_steps) >= v_most);
END $$;
