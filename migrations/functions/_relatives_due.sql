-- tasker._relatives_due(): when a task that has a parent or children leaves open_tasks, whatever ended it, the child in question is to be
-- looked at (settle_sub_tasks). A trigger, so that no way for a task to end can forget it; its condition is in the row that is deleted
-- anyway, so that tasks without relatives pay nothing for it.
-- Locks: the caller holds the task row. Writes: sub_task_dues.
CREATE OR REPLACE FUNCTION tasker._relatives_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tasker.sub_task_dues (child_uuid)
  SELECT st.child_uuid FROM tasker.sub_tasks st WHERE st.child_uuid = OLD.task_uuid AND st.outcome IS NULL
  UNION SELECT st.child_uuid FROM tasker.sub_tasks st WHERE st.parent_uuid = OLD.task_uuid AND st.outcome IS NULL
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER open_tasks_relatives AFTER DELETE ON tasker.open_tasks
  FOR EACH ROW WHEN (OLD.related) EXECUTE FUNCTION tasker._relatives_due();
