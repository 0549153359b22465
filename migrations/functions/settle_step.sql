-- tasker.settle_step(one success, credit, lease): what settle_steps does with a batch of one success, in plain statements by primary
-- key. Batches of one are what an idle system has, and there a statement that takes arrays costs more to start than to run. A step
-- with many children, children without credit, instances of batches, and whatever was not ours to settle go to settle_steps.
-- Returns, locks and writes: as settle_steps.
DROP FUNCTION IF EXISTS tasker.settle_step(uuid, uuid, int, bigint, text, text, int, text[], int[], int, uuid);
CREATE OR REPLACE FUNCTION tasker.settle_step(
  p_step uuid, p_task uuid, p_attempt int, p_msg bigint, p_result text, p_worker text, p_exec_ms int, p_credit_ns text[], p_credit_n int[],
  p_lease_ms int, p_processor uuid, p_stages bigint[] DEFAULT NULL)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now   timestamptz := clock_timestamp();
  v_ns    text;  v_was tasker.task_state;  v_is tasker.task_state;  v_failed boolean;  v_held boolean;  v_corr uuid;
  c_step  uuid[];  c_ready boolean[];  c_n int;
  v_ready uuid[] := '{}';
  v_msg   bigint;  v_att smallint;
  v_plain boolean;
BEGIN
  SELECT t.namespace, t.state, t.failed_steps > 0, t.held <> 0, t.correlation_id INTO v_ns, v_was, v_failed, v_held, v_corr
    FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
  SELECT array_agg(e.to_step_uuid), array_agg(s.ready), count(*) INTO c_step, c_ready, c_n
    FROM tasker.workflow_step_edges e
   CROSS JOIN LATERAL (SELECT w.unmet_parents = 1 AND NOT v_held AND (NOT v_failed OR tasker._isolated(w.instance, w.inputs)) AS ready
                         FROM tasker.workflow_steps w WHERE w.workflow_step_uuid = e.to_step_uuid AND w.state = 'pending' OFFSET 0) s -- by key, whatever the statistics
   WHERE e.from_step_uuid = p_step;

  v_plain := c_n = 0 OR (c_n <= 4 AND c_n <= coalesce(p_credit_n[array_position(p_credit_ns, v_ns)], 0));
  IF v_plain THEN
    UPDATE tasker.workflow_steps s SET state = 'complete', settled_at = v_now, updated_at = v_now, msg_id = NULL
     WHERE s.workflow_step_uuid = p_step AND s.task_uuid = p_task AND s.state = 'in_progress' AND s.attempts = p_attempt AND s.msg_id = p_msg
       AND s.instance = 0; -- one of a batch makes room there
    v_plain := FOUND;
  END IF;
  IF NOT v_plain THEN -- nothing was changed yet
    RETURN QUERY SELECT r.* FROM tasker.settle_steps(ARRAY[p_step], ARRAY[p_task], ARRAY[p_attempt], ARRAY[p_msg], ARRAY[true], ARRAY[false], ARRAY[-1],
                                                     ARRAY[p_result], ARRAY[p_worker], ARRAY[p_exec_ms], p_credit_ns, p_credit_n, p_lease_ms, p_processor, p_stages) r;
    RETURN;
  END IF;
  INSERT INTO tasker.step_results (workflow_step_uuid, attempt, task_uuid, success, execution_time_ms, worker_id, result, recorded_at, stages)
  VALUES (p_step, p_attempt, p_task, true, p_exec_ms, p_worker, p_result::json, v_now, p_stages);
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor)
  VALUES (p_step, p_task, 'in_progress', 'complete', p_attempt, v_now, p_worker);

  -- The queue and the children. Its message goes with the first that is sent: one statement less.
  FOR i IN 1..c_n LOOP
    IF c_ready[i] THEN
      v_msg := tasker._hand_on(v_ns, CASE WHEN v_ready = '{}' THEN p_msg END, v_now + p_lease_ms * interval '1 millisecond', c_step[i], p_task, v_corr);
      UPDATE tasker.workflow_steps s
         SET state = 'in_progress', attempts = s.attempts + 1, unmet_parents = 0, msg_id = v_msg, next_retry_at = NULL, updated_at = v_now, dispatched_at = v_now
       WHERE s.workflow_step_uuid = c_step[i] RETURNING s.attempts INTO v_att;
      INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at)
      VALUES (c_step[i], p_task, 'pending', 'in_progress', v_att, v_now);
      v_ready := v_ready || c_step[i];
    ELSE
      UPDATE tasker.workflow_steps s SET unmet_parents = s.unmet_parents - 1, updated_at = v_now WHERE s.workflow_step_uuid = c_step[i];
    END IF;
  END LOOP;
  IF v_ready = '{}' THEN
    v_msg := tasker._hand_on(v_ns, p_msg, NULL, NULL, NULL, NULL);
  END IF;

  UPDATE tasker.tasks t
     SET open_steps = t.open_steps - 1, active_steps = t.active_steps - 1 + cardinality(v_ready), updated_at = v_now,
         state = tasker._task_state(t.open_steps - 1, t.failed_steps, t.active_steps - 1 + cardinality(v_ready), t.retry_steps),
         completed_at = CASE WHEN t.open_steps = 1 THEN v_now ELSE t.completed_at END
   WHERE t.task_uuid = p_task RETURNING t.state INTO v_is;

  RETURN NEXT tasker._row('settled', 1, p_step, p_task, p_attempt, NULL, NULL, NULL);
  IF v_ready <> '{}' THEN
    RETURN QUERY SELECT a.* FROM tasker._assignments(v_ready, ARRAY[p_task]) a;
  END IF;
  IF v_is <> v_was THEN
    INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid) VALUES (p_task, v_was, v_is, v_now, p_processor);
    IF v_is = 'complete' THEN
      DELETE FROM tasker.open_tasks o WHERE o.task_uuid = p_task;
    END IF;
    RETURN NEXT tasker._row('done', NULL, NULL, p_task, NULL, NULL, v_is::text, NULL);
  END IF;
END $$;
