-- tasker._pass_on(namespace, locked tasks and their states, settled steps, children): the second half of settle_steps for successes of one
-- namespace whose ready children all find credit. Removes the messages of what was settled and sends those of what became ready, in
-- one statement; marks the children and writes the history of both, in one; lets the tasks follow; answers, in one.
-- A settled row i has idx, step, task, attempt and message at the same place in p_idx, p_step, p_task, p_att, p_msg; p_worker by idx. Child i lies
-- at c_at[i] (its ctid), where the lock on its task keeps it.
-- Locks: the caller holds the task rows. Writes: workflow_steps, tasks, open_tasks, PGMQ, history.
DROP FUNCTION IF EXISTS tasker._pass_on(text, uuid[], tasker.task_state[], bigint[], int[], uuid[], uuid[], smallint[], text[], uuid[], int[], boolean[],
  uuid[], uuid[], int, uuid); -- before it was told when
DROP FUNCTION IF EXISTS tasker._pass_on(text, uuid[], tasker.task_state[], bigint[], int[], uuid[], uuid[], smallint[], text[], uuid[], int[], boolean[],
  uuid[], uuid[], timestamptz, int, uuid); -- before it was told where the children lie
CREATE OR REPLACE FUNCTION tasker._pass_on(
  p_ns text, p_locked uuid[], p_was tasker.task_state[], p_msg bigint[], p_idx int[], p_step uuid[], p_task uuid[], p_att smallint[], p_worker text[],
  c_step uuid[], c_at tid[], c_dec int[], c_ready boolean[], c_task uuid[], c_corr uuid[], p_settled_at timestamptz, p_lease_ms int, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now   timestamptz := clock_timestamp();
  r_step  uuid[] := c_step;  r_at tid[] := c_at;  r_task uuid[] := c_task;  r_corr uuid[] := c_corr;
  v_msg   bigint[];
  v_ended boolean;
  e_task  uuid[];  e_from tasker.task_state[];  e_to tasker.task_state[];
BEGIN
  IF false = ANY (c_ready) THEN -- a child that waits for more is only counted down
    SELECT array_agg(c.step), array_agg(c.at), array_agg(c.task), array_agg(c.corr) INTO r_step, r_at, r_task, r_corr
      FROM unnest(c_step, c_at, c_task, c_corr, c_ready) c(step, at, task, corr, ready) WHERE c.ready;
  END IF;

  -- 1. The queue.
  v_msg := tasker._hand_on_all(p_ns, p_msg, v_now + p_lease_ms * interval '1 millisecond', r_step, r_task, r_corr);

  -- 2. The children and the history of both.
  IF false = ANY (c_ready) THEN
    UPDATE tasker.workflow_steps s SET unmet_parents = s.unmet_parents - c.dec, updated_at = v_now
      FROM unnest(c_at, c_dec, c_ready) c(at, dec, ready) WHERE s.ctid = c.at AND NOT c.ready;
  END IF;
  WITH upd AS (
    UPDATE tasker.workflow_steps s
       SET state = 'in_progress', attempts = s.attempts + 1, unmet_parents = 0, msg_id = u.msg, next_retry_at = NULL, updated_at = v_now, dispatched_at = v_now
      FROM unnest(r_at, v_msg) u(at, msg) WHERE s.ctid = u.at
    RETURNING s.workflow_step_uuid, s.task_uuid, s.attempts
  )
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor)
  SELECT d.step, d.task, 'in_progress'::tasker.step_state, 'complete'::tasker.step_state, d.att, p_settled_at, p_worker[d.idx]
    FROM unnest(p_idx, p_step, p_task, p_att) d(idx, step, task, att)
  UNION ALL SELECT workflow_step_uuid, task_uuid, 'pending', 'in_progress', attempts, v_now, NULL FROM upd;

  -- 3. The tasks: their counters, and their state with them.
  WITH delta AS (
    SELECT u.task, max(u.was) AS was, sum(u.settled)::int AS settled, sum(u.ready)::int AS ready
      FROM (SELECT l.task, l.was, 0 AS settled, 0 AS ready FROM unnest(p_locked, p_was) l(task, was)
            UNION ALL SELECT task, NULL, 1, 0 FROM unnest(p_task) task
            UNION ALL SELECT task, NULL, 0, 1 FROM unnest(r_task) task) u
     GROUP BY u.task HAVING sum(u.settled) > 0
  ), upd AS (
    UPDATE tasker.tasks t
       SET open_steps = t.open_steps - d.settled, active_steps = t.active_steps - d.settled + d.ready, updated_at = v_now,
           state = tasker._task_state(t.open_steps - d.settled, t.failed_steps, t.active_steps - d.settled + d.ready, t.retry_steps),
           completed_at = CASE WHEN t.open_steps = d.settled THEN v_now ELSE t.completed_at END
      FROM delta d WHERE t.task_uuid = d.task
    RETURNING t.task_uuid, d.was, t.state
  )
  SELECT array_agg(task_uuid), array_agg(was), array_agg(state), bool_or(state = 'complete') INTO e_task, e_from, e_to, v_ended FROM upd WHERE was <> state;
  IF e_task IS NOT NULL THEN
    INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid)
    SELECT x.t, x.f, x.s, v_now, p_processor FROM unnest(e_task, e_from, e_to) x(t, f, s);
    IF v_ended THEN
      DELETE FROM tasker.open_tasks o USING unnest(e_task, e_to) x(t, s) WHERE o.task_uuid = x.t AND x.s = 'complete';
    END IF;
  END IF;

  -- 4. The answer.
  FOR i IN 1..cardinality(p_idx) LOOP
    RETURN NEXT tasker._row('settled', p_idx[i], p_step[i], p_task[i], p_att[i], NULL, NULL, NULL);
  END LOOP;
  IF r_step IS NOT NULL THEN
    RETURN QUERY SELECT a.* FROM tasker._assignments(r_step, p_locked) a;
  END IF;
  FOR i IN 1..coalesce(cardinality(e_task), 0) LOOP
    RETURN NEXT tasker._row('done', NULL, NULL, e_task[i], NULL, NULL, e_to[i]::text, NULL);
  END LOOP;
END $$;
