-- tasker._take_turns(task, steps): instances of batches among these steps, which are to run again (rerun, or reset where failures are isolated), take their turn in the
-- window of their batch as when they were made: as many as there is room for go, lowest first, the others wait for it (_make_room lets them go). At work, or about to be, are
-- meanwhile those that are not among them; a failed one keeps its place unless failures are isolated. Instances of before their window was in their inputs have none.
-- Returns the instances that go. Locks: the caller holds the task row, and the steps are pending. Writes: workflow_steps (no_room).
DROP FUNCTION IF EXISTS tasker._has_room(uuid, int, json); -- asked of one instance what this asks of many
CREATE OR REPLACE FUNCTION tasker._take_turns(p_task uuid, p_steps uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE v record;
BEGIN
  FOR v IN WITH upd AS (UPDATE tasker.workflow_steps s SET no_room = true
                         WHERE s.workflow_step_uuid = ANY (p_steps) AND s.instance > 0 AND s.inputs ->> '__window' IS NOT NULL
                        RETURNING s.step_no, (s.inputs ->> '__window')::int AS places)
           SELECT upd.step_no, max(upd.places) AS places FROM upd GROUP BY 1 LOOP
    RETURN QUERY
    UPDATE tasker.workflow_steps s SET no_room = false
     WHERE s.workflow_step_uuid = ANY (array(
             SELECT w.workflow_step_uuid FROM tasker.workflow_steps w
              WHERE w.task_uuid = p_task AND w.step_no = v.step_no AND w.instance > 0 AND w.no_room AND w.state = 'pending'
              ORDER BY w.instance
              LIMIT greatest(0, v.places - (SELECT count(*) FROM tasker.workflow_steps a
                                             WHERE a.task_uuid = p_task AND a.step_no = v.step_no AND a.instance > 0 AND NOT a.no_room
                                               AND a.state NOT IN ('complete', 'resolved_manually') AND NOT (a.state = 'error' AND tasker._isolated(a.instance, a.inputs))))))
    RETURNING s.workflow_step_uuid;
  END LOOP;
END $$;
