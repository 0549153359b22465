-- tasker._sweep_sub_tasks(parent): children that have ended while a step of this task waits for them, and of which nobody was told. A healthy system has none.
-- Returns (task, step, what) rows. Locks: the caller holds the parent's row. Writes: sub_task_dues.
CREATE OR REPLACE FUNCTION tasker._sweep_sub_tasks(p_parent uuid) RETURNS TABLE (task_uuid uuid, step_uuid uuid, what text)
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
  WITH ins AS (
    INSERT INTO tasker.sub_task_dues (child_uuid)
    SELECT st.child_uuid
      FROM tasker.sub_tasks st JOIN tasker.tasks c ON c.task_uuid = st.child_uuid
     WHERE st.parent_uuid = p_parent AND st.outcome IS NULL
       AND (c.state IN ('complete', 'error', 'cancelled', 'resolved_manually') OR (c.state = 'blocked_by_failures' AND NOT st.wait_blocked))
    ON CONFLICT DO NOTHING RETURNING child_uuid)
  SELECT st.parent_uuid, st.step_uuid, format('waits for sub-task %s, which has ended', st.child_uuid)
    FROM ins JOIN tasker.sub_tasks st ON st.child_uuid = ins.child_uuid;
END $$;
