-- tasker.export_tasks(tasks): opens the cursor `history_export` over all that belongs to the tasks, for tasker.fetch_history: one JSON object a row, {"table": …, "row": …},
-- with the columns of the table. The caller holds the task rows, so nothing changes before its transaction ends.
CREATE OR REPLACE FUNCTION tasker.export_tasks(p_tasks uuid[]) RETURNS refcursor LANGUAGE plpgsql AS $$
DECLARE
  v_rows refcursor := 'history_export';
  v_from uuid := (SELECT u FROM unnest(p_tasks) u ORDER BY 1 LIMIT 1); -- excludes the other months
  v_to   uuid := (SELECT u FROM unnest(p_tasks) u ORDER BY 1 DESC LIMIT 1);
  v_step uuid[] := tasker._all_steps(p_tasks);
BEGIN
  OPEN v_rows NO SCROLL FOR
    SELECT json_build_object('table', x.name, 'row', x.line)::text AS line FROM (
      SELECT 'tasks' AS name, row_to_json(r) AS line FROM tasker.tasks r WHERE r.task_uuid = ANY (p_tasks)
      UNION ALL SELECT 'workflow_steps', row_to_json(r) FROM tasker.workflow_steps r WHERE r.task_uuid = ANY (p_tasks)
      UNION ALL SELECT 'superseded_steps', row_to_json(r) FROM tasker.superseded_steps r WHERE r.task_uuid = ANY (p_tasks)
      UNION ALL SELECT 'workflow_step_edges', row_to_json(r) FROM tasker.workflow_step_edges r WHERE r.to_step_uuid = ANY (v_step)
      UNION ALL SELECT 'step_results', row_to_json(r) FROM tasker.step_results r WHERE r.task_uuid = ANY (p_tasks) AND r.task_uuid BETWEEN v_from AND v_to
      UNION ALL SELECT 'workflow_step_transitions', row_to_json(r) FROM tasker.workflow_step_transitions r
                 WHERE r.workflow_step_uuid = ANY (v_step) AND r.task_uuid BETWEEN v_from AND v_to
      UNION ALL SELECT 'task_transitions', row_to_json(r) FROM tasker.task_transitions r WHERE r.task_uuid = ANY (p_tasks) AND r.task_uuid BETWEEN v_from AND v_to
      UNION ALL SELECT 'task_generations', row_to_json(r) FROM tasker.task_generations r WHERE r.task_uuid = ANY (p_tasks)
      UNION ALL SELECT 'sub_tasks', row_to_json(r) FROM tasker.sub_tasks r WHERE r.child_uuid = ANY (p_tasks) OR r.parent_uuid = ANY (p_tasks)
      UNION ALL SELECT 'dead_letters', row_to_json(r) FROM tasker.dead_letters r WHERE r.task_uuid = ANY (p_tasks)) x;
  RETURN v_rows;
END $$;
