-- tasker._ended_otherwise(task): writes down that a task has ended in error, cancelled or resolved by hand, or takes back that it had. To be called after the change of its
-- state, in the same transaction. Locks: the caller holds the task row.
CREATE OR REPLACE FUNCTION tasker._ended_otherwise(p_task uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tasker.ended_otherwise AS e (task_uuid, namespace, state)
  SELECT t.task_uuid, t.namespace, t.state FROM tasker.tasks t WHERE t.task_uuid = p_task AND t.state IN ('error', 'cancelled', 'resolved_manually')
  ON CONFLICT (task_uuid) DO UPDATE SET state = excluded.state;
  IF NOT FOUND THEN
    DELETE FROM tasker.ended_otherwise e WHERE e.task_uuid = p_task;
  END IF;
END $$;
