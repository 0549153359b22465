-- tasker.grow_tasks(new steps, edges): the steps and edges that follow from results which the caller settles next, in the same transaction
-- and under the lock that growth_begin took. Whoever settles makes the growth: a result that does not settle rolls it back with it.
--   p_task[i], p_step[i] …: a new step of template step p_no[i]; p_held: it waits for room in the window of its batch.
--   e_task[i], e_from[i], e_to[i]: an edge between template steps; from and to every instance, but never between two new ones of a batch.
-- An edge that is there already, and one to a step that has begun, changes nothing. Returns how many steps were made.
-- Locks: the caller holds the task rows. Writes: workflow_steps, workflow_step_edges, tasks.
CREATE OR REPLACE FUNCTION tasker.grow_tasks(
  p_task uuid[], p_step uuid[], p_no int[], p_instance int[], p_name text[], p_inputs text[], p_held boolean[],
  e_task uuid[], e_from int[], e_to int[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_to   uuid[];
  v_more int[];
BEGIN
  -- New steps wait for something (1) until their edges are counted: those of their source at least.
  INSERT INTO tasker.workflow_steps (workflow_step_uuid, task_uuid, step_no, instance, name, state, unmet_parents, max_attempts, retryable,
                                     queue_timeout_ms, no_room, inputs, created_at)
  SELECT n.step, n.task, n.no, n.instance, n.name, 'pending', CASE WHEN n.held THEN 1 ELSE 0 END, ts.max_attempts, ts.retryable, ts.queue_timeout_ms,
         n.held, n.inputs::json, v_now
    FROM unnest(p_task, p_step, p_no, p_instance, p_name, p_inputs, p_held) n(task, step, no, instance, name, inputs, held)
    JOIN tasker.tasks t ON t.task_uuid = n.task
    JOIN tasker.template_steps ts ON ts.digest = t.template_digest AND ts.step_no = n.no;

  WITH ins AS (
    INSERT INTO tasker.workflow_step_edges (from_step_uuid, to_step_uuid)
    SELECT f.workflow_step_uuid, c.workflow_step_uuid
      FROM unnest(e_task, e_from, e_to) e(task, from_no, to_no),
           LATERAL (SELECT s.workflow_step_uuid FROM tasker.workflow_steps s
                     WHERE s.task_uuid = e.task AND s.step_no = e.to_no AND s.state = 'pending' OFFSET 0) c,
           LATERAL (SELECT s.workflow_step_uuid FROM tasker.workflow_steps s WHERE s.task_uuid = e.task AND s.step_no = e.from_no OFFSET 0) f
    ON CONFLICT DO NOTHING
    RETURNING from_step_uuid, to_step_uuid)
  SELECT array_agg(x.to_step), array_agg(x.n) INTO v_to, v_more
    FROM (SELECT ins.to_step_uuid AS to_step, count(*)::int AS n
            FROM ins, LATERAL (SELECT s.state FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = ins.from_step_uuid OFFSET 0) f
           WHERE f.state NOT IN ('complete', 'resolved_manually') GROUP BY 1) x;
  UPDATE tasker.workflow_steps s SET unmet_parents = s.unmet_parents + u.n
    FROM unnest(v_to, v_more) u(step, n), LATERAL (SELECT w.ctid AS at FROM tasker.workflow_steps w WHERE w.workflow_step_uuid = u.step OFFSET 0) w
   WHERE s.ctid = w.at; -- by key, whatever the statistics

  UPDATE tasker.tasks t SET total_steps = t.total_steps + n.n, open_steps = t.open_steps + n.n
    FROM (SELECT u.task, count(*)::int AS n FROM unnest(p_task) u(task) GROUP BY 1) n WHERE t.task_uuid = n.task;
  RETURN coalesce(cardinality(p_step), 0);
END $$;
