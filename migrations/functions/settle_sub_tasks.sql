-- tasker.settle_sub_tasks(limit, bytes_max, credit, lease): carries over what became of tasks between parents and children, for those that are due:
--   the step waits and its child has ended: the step is settled by it, as a result of its worker would;
--   the step waits and its child is blocked by failures (and that is not to be waited for): the child ends in error, the step is settled by it;
--   the step does not wait any more (cancelled, run again, completed by hand): the child is cancelled; its own children are due then.
-- p_only: of this child alone (settle_sub_tasks_apart).
-- Returns per child 'sub_task' (task_uuid = the child, step_name = its outcome), the rows of settle_steps (idx among those that were settled), and for
-- children that were ended 'called_off' (their workers are to be told) and 'done'; nothing when nothing was due.
-- Locks: parents and children in uuid order. Writes: as settle_steps and cancel_task; sub_tasks, sub_task_dues, the steps' durable events.
DROP FUNCTION IF EXISTS tasker.settle_sub_tasks(int, int, text[], int[], int, uuid);
CREATE OR REPLACE FUNCTION tasker.settle_sub_tasks(p_limit int, p_bytes_max int, p_credit_ns text[], p_credit_n int[], p_lease_ms int, p_processor uuid,
                                                   p_only uuid DEFAULT NULL)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now    timestamptz := clock_timestamp();
  v_due    uuid[] := array(SELECT d.child_uuid FROM tasker.sub_task_dues d WHERE p_only IS NULL OR d.child_uuid = p_only ORDER BY d.child_uuid LIMIT p_limit);
  v        record;
  v_result record;
  v_waits  boolean;
  v_says   text;
  v_row    tasker.engine_row;
  e_step   uuid[] := '{}';  e_how text[] := '{}';
  s_step   uuid[] := '{}';  s_task uuid[] := '{}';  s_att int[] := '{}';  s_ok boolean[] := '{}';  s_again boolean[] := '{}';  s_body text[] := '{}';
  s_worker text[] := '{}';  s_ms int[] := '{}';  s_stages bigint[] := '{}';
BEGIN
  IF v_due = '{}' THEN RETURN; END IF;
  PERFORM 1 FROM tasker.tasks t
    WHERE t.task_uuid = ANY (v_due || array(SELECT st.parent_uuid FROM tasker.sub_tasks st WHERE st.child_uuid = ANY (v_due)))
    ORDER BY t.task_uuid FOR NO KEY UPDATE;
  WITH del AS (DELETE FROM tasker.sub_task_dues d WHERE d.child_uuid = ANY (v_due) RETURNING d.child_uuid)
  SELECT array_agg(child_uuid) INTO v_due FROM del; -- others may have been faster

  FOR v IN
    SELECT st.*, c.state, c.state IN ('complete', 'error', 'cancelled', 'resolved_manually') AS ended,
           coalesce(s.state = 'enqueued_for_orchestration' AND s.attempts = st.attempt, false) AS waits -- no step: it was dropped by a rerun
      FROM tasker.sub_tasks st
      JOIN tasker.tasks c ON c.task_uuid = st.child_uuid
      LEFT JOIN tasker.workflow_steps s ON s.workflow_step_uuid = st.step_uuid
     WHERE st.child_uuid = ANY (v_due) AND st.outcome IS NULL ORDER BY st.child_uuid
  LOOP
    -- One that waited when this look began may have been ended by it meanwhile, being the child of another.
    v_waits := v.waits AND EXISTS (SELECT 1 FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = v.step_uuid AND s.state = 'enqueued_for_orchestration');
    IF v_waits AND NOT v.ended AND (v.state <> 'blocked_by_failures' OR v.wait_blocked) THEN -- somebody has opened it again
      UPDATE tasker.open_tasks o SET related = true WHERE o.task_uuid = v.child_uuid;
      CONTINUE;
    END IF;
    v_says := CASE WHEN NOT v_waits AND NOT v.ended THEN 'called_off' WHEN v.state IN ('complete', 'resolved_manually') THEN 'complete'
                   WHEN v.state = 'cancelled' THEN 'cancelled' ELSE 'failed' END;
    UPDATE tasker.sub_tasks st SET outcome = v_says, settled_at = v_now WHERE st.child_uuid = v.child_uuid; -- before it is ended: it is not due again
    RETURN NEXT tasker._row('sub_task', NULL, v.step_uuid, v.child_uuid, v.attempt, NULL, v_says, NULL);
    IF NOT v.ended THEN
      RETURN QUERY SELECT r.* FROM tasker._end_sub_task(v.child_uuid, v_waits, p_processor) r;
    END IF;
    CONTINUE WHEN NOT v_waits;
    SELECT * INTO v_result FROM tasker._sub_task_result(v.child_uuid, p_bytes_max);
    s_step := s_step || v.step_uuid;  s_task := s_task || v.parent_uuid;  s_att := s_att || v.attempt::int;
    s_ok := s_ok || v_result.success;  s_again := s_again || v_result.retryable;  s_body := s_body || v_result.body;
    s_worker := s_worker || coalesce(v.worker_id, 'sub-task');  s_ms := s_ms || coalesce(v.exec_ms, 0);  s_stages := s_stages || coalesce(v.stages, '{0,0,0,0,0}');
  END LOOP;
  IF s_step = '{}' THEN RETURN; END IF;

  -- The steps are at work again for the moment it takes to settle them, with a message that no queue has.
  UPDATE tasker.workflow_steps s SET state = 'in_progress', msg_id = 0 WHERE s.workflow_step_uuid = ANY (s_step);
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, reason)
  SELECT u.step, u.task, 'enqueued_for_orchestration', 'in_progress', u.att, v_now, 'sub-task ended' FROM unnest(s_step, s_task, s_att) u(step, task, att);
  UPDATE tasker.tasks t SET active_steps = t.active_steps + n.n
    FROM (SELECT u.task, count(*)::int AS n FROM unnest(s_task) u(task) GROUP BY 1) n WHERE t.task_uuid = n.task;
  FOR v_row IN SELECT * FROM tasker.settle_steps(s_step, s_task, s_att, array_fill(0::bigint, ARRAY[cardinality(s_step)]), s_ok, s_again,
    array_fill(-1, ARRAY[cardinality(s_step)]), s_body, s_worker, s_ms, p_credit_ns, p_credit_n, p_lease_ms, p_processor, s_stages) LOOP
    IF v_row.kind IN ('settled', 'retry', 'failed') THEN
      e_step := e_step || v_row.step_uuid;
      e_how := e_how || CASE WHEN s_ok[v_row.idx] THEN 'success' WHEN v_row.kind = 'retry' THEN 'retryable_failure' ELSE 'permanent_failure' END;
    END IF;
    RETURN NEXT v_row;
  END LOOP;
  RETURN QUERY SELECT r.* FROM tasker._publish_settled(e_step, e_how) r;
END $$;
