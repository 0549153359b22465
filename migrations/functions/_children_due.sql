-- tasker._children_due(steps): the children these steps wait for are to be looked at, because they do not wait any more. Returns how many.
-- Locks: the caller holds the task row. Writes: sub_task_dues.
CREATE OR REPLACE FUNCTION tasker._children_due(p_step uuid[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_n int;
BEGIN
  INSERT INTO tasker.sub_task_dues (child_uuid)
  SELECT st.child_uuid FROM tasker.sub_tasks st WHERE st.step_uuid = ANY (p_step) AND st.outcome IS NULL
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS v_n = ROW_COUNT;
  RETURN v_n;
END $$;
