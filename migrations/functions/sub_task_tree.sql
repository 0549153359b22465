-- tasker.sub_task_tree(task, limit): the tasks that steps of this one have started, and those that theirs have, each below its parent in order of
-- creation; NULL for an unknown task.
--   {task_uuid, sub_tasks: [{task_uuid, parent_task_uuid, parent_step_uuid, step_name, attempt, depth (from 1), namespace, name, version, status, outcome
--   (what its step was told; NULL while that waits), correlation_id, total_steps, open_steps, created_at, completed_at}], more}
-- more: there are more than limit. Locks: none. Cost: the tree.
CREATE OR REPLACE FUNCTION tasker.sub_task_tree(p_task uuid, p_limit int) RETURNS json
LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM tasker.tasks t WHERE t.task_uuid = p_task) THEN RETURN NULL; END IF;
  RETURN (
    WITH RECURSIVE tree AS (
      SELECT st.*, 1 AS level, ARRAY[st.child_uuid] AS path FROM tasker.sub_tasks st WHERE st.parent_uuid = p_task
      UNION ALL
      SELECT st.*, tree.level + 1, tree.path || st.child_uuid FROM tree JOIN tasker.sub_tasks st ON st.parent_uuid = tree.child_uuid
    ), begun AS (
      SELECT * FROM tree ORDER BY path LIMIT p_limit + 1
    ), listed AS (
      SELECT * FROM begun ORDER BY path LIMIT p_limit
    )
    SELECT json_build_object(
      'task_uuid', p_task,
      'sub_tasks', coalesce((
        SELECT json_agg(json_build_object(
                 'task_uuid', l.child_uuid, 'parent_task_uuid', l.parent_uuid, 'parent_step_uuid', l.step_uuid, 'step_name', s.name, 'attempt', l.attempt,
                 'depth', l.level, 'namespace', t.namespace, 'name', nt.name, 'version', nt.version, 'status', t.state, 'outcome', l.outcome,
                 'correlation_id', t.correlation_id, 'total_steps', t.total_steps, 'open_steps', t.open_steps,
                 'created_at', tasker.time_text(t.created_at, 'zoned'), 'completed_at', tasker.time_text(t.completed_at, 'zoned')) ORDER BY l.path)
          FROM listed l
          JOIN tasker.tasks t ON t.task_uuid = l.child_uuid
          JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid
          LEFT JOIN tasker.workflow_steps s ON s.workflow_step_uuid = l.step_uuid), '[]'::json),
      'more', (SELECT count(*) > p_limit FROM begun)));
END $$;
