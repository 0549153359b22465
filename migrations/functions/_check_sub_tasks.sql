-- tasker._check_sub_tasks(task): what check_consistency proves of parents and children; NULL: of all. One row per problem. No locks.
CREATE OR REPLACE FUNCTION tasker._check_sub_tasks(p_task uuid) RETURNS TABLE (problem text, task_uuid uuid, step_uuid uuid, detail text)
LANGUAGE sql STABLE AS $$
  SELECT 'waits for nobody', s.task_uuid, s.workflow_step_uuid, format('%s waits for a sub-task that there is not', s.name)
    FROM tasker.workflow_steps s
   WHERE (p_task IS NULL OR s.task_uuid = p_task) AND s.state = 'enqueued_for_orchestration'
     AND NOT EXISTS (SELECT 1 FROM tasker.sub_tasks st WHERE st.step_uuid = s.workflow_step_uuid AND st.attempt = s.attempts AND st.outcome IS NULL)
  UNION ALL
  SELECT 'sub-task', st.parent_uuid, st.step_uuid,
         CASE WHEN c.task_uuid IS NULL THEN format('sub-task %s is not there', st.child_uuid)
              WHEN waits.yes THEN format('nobody says that sub-task %s is %s', st.child_uuid, c.state)
              ELSE format('nobody cancels sub-task %s, which is %s', st.child_uuid, c.state) END
    FROM tasker.sub_tasks st
    LEFT JOIN tasker.tasks c ON c.task_uuid = st.child_uuid
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = st.step_uuid
                                          AND s.state = 'enqueued_for_orchestration' AND s.attempts = st.attempt) AS yes) waits
   WHERE (p_task IS NULL OR st.parent_uuid = p_task OR st.child_uuid = p_task) AND st.outcome IS NULL
     AND NOT EXISTS (SELECT 1 FROM tasker.sub_task_dues d WHERE d.child_uuid = st.child_uuid)
     AND (c.task_uuid IS NULL OR NOT waits.yes OR c.state IN ('complete', 'error', 'cancelled', 'resolved_manually')
          OR (c.state = 'blocked_by_failures' AND NOT st.wait_blocked))
  UNION ALL
  SELECT 'open_tasks', o.task_uuid, NULL, 'has a parent or children that wait, and is not marked so'
    FROM tasker.sub_tasks st JOIN tasker.open_tasks o ON o.task_uuid IN (st.parent_uuid, st.child_uuid)
   WHERE (p_task IS NULL OR o.task_uuid = p_task) AND st.outcome IS NULL AND NOT o.related
$$;
