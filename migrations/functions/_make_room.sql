-- tasker._make_room(settled steps, states): instances of a batch that are complete make room in its window: as many that wait for it in the
-- same batch are let go, lowest instance first; a failed one keeps its place, it may be tried again, but not where failures are isolated: one of these that is
-- reset waits behind those that have not had their turn, and so does one that runs again (_take_turns). Returns them; the caller counts one parent less of each, as of a child.
-- Locks: the caller holds the task rows. Writes: workflow_steps (no_room).
CREATE OR REPLACE FUNCTION tasker._make_room(p_step uuid[], p_state tasker.step_state[]) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE
  v_step uuid[];
BEGIN
  SELECT array_agg(h.workflow_step_uuid) INTO v_step
    FROM (SELECT s.task_uuid, s.step_no, max(s.instance) AS last, count(*) AS n, bool_or(tasker._isolated(s.instance, s.inputs)) AS isolated
            FROM unnest(p_step, p_state) u(step, state)
            JOIN tasker.workflow_steps s ON s.workflow_step_uuid = u.step AND s.instance > 0
           WHERE u.state = 'complete' OR (u.state = 'error' AND tasker._isolated(s.instance, s.inputs)) GROUP BY 1, 2) room
    CROSS JOIN LATERAL ((SELECT w.workflow_step_uuid FROM tasker.workflow_steps w -- those let go are in front of all that are held
                          WHERE w.task_uuid = room.task_uuid AND w.step_no = room.step_no AND w.instance > room.last AND w.no_room
                          ORDER BY w.instance LIMIT room.n)
                        UNION ALL
                        (SELECT w.workflow_step_uuid FROM tasker.workflow_steps w -- but for those that were reset or run again
                          WHERE (room.isolated OR (SELECT t.generation > 0 FROM tasker.tasks t WHERE t.task_uuid = room.task_uuid)) AND w.task_uuid = room.task_uuid AND w.step_no = room.step_no AND w.instance BETWEEN 1 AND room.last AND w.no_room
                          ORDER BY w.instance LIMIT room.n)
                        LIMIT room.n) h;
  UPDATE tasker.workflow_steps w SET no_room = false WHERE w.workflow_step_uuid = ANY (v_step);
  RETURN QUERY SELECT unnest(v_step);
END $$;
