-- tasker._all_steps(tasks): the steps of tasks, those that a later generation superseded included: history and edges are found by them. Locks: none.
CREATE OR REPLACE FUNCTION tasker._all_steps(p_tasks uuid[]) RETURNS uuid[] LANGUAGE sql STABLE AS $$
  SELECT array(SELECT s.workflow_step_uuid FROM tasker.workflow_steps s WHERE s.task_uuid = ANY (p_tasks)
               UNION ALL SELECT s.workflow_step_uuid FROM tasker.superseded_steps s WHERE s.task_uuid = ANY (p_tasks))
$$;
