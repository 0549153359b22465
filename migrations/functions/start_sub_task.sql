-- tasker.start_sub_task(held execution, request, credit, lease): a step hands in that it wants another task run and waits for it. In one
-- transaction the child is created, as create_task does, and the step waits: enqueued_for_orchestration, without message or lease.
--   p_priority, p_initiator NULL: the parent's. The child's parent_correlation_id is the parent's correlation_id.
--   p_wait_blocked, p_worker, p_exec_ms, p_stages: see tasker.sub_tasks.
-- Returns one row about the execution (idx 1): 'waits' (task_uuid: the child), 'already' or 'stale' as settle_steps says them, or, when nothing was
-- changed because the child cannot be, 'refused' (step_name = why: depth, count, step_type; idx = what was found) or 'unmade' (step_name = what
-- create_task says); for 'waits' also the rows of create_task and 'done'.
-- Locks: the parent's row; the child's is new. Writes: as create_task; workflow_steps, sub_tasks, open_tasks, history, PGMQ.
CREATE OR REPLACE FUNCTION tasker.start_sub_task(
  p_step uuid, p_parent uuid, p_attempt int, p_msg bigint, p_worker text, p_exec_ms int, p_stages bigint[], p_wait_blocked boolean, p_depth_max int,
  p_count_max int, p_child uuid, p_digest text, p_identity bytea, p_context text, p_priority int, p_correlation uuid, p_initiator text, p_source text,
  p_reason text, p_tags text, p_requested timestamptz, p_steps uuid[], p_credit_ns text[], p_credit_n int[], p_lease_ms int, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now    timestamptz := clock_timestamp();
  v_parent tasker.tasks;
  v_type   text;
  v_depth  int;
  v_count  int;
  v_rows   tasker.engine_row[];
  v_kinds  text[];
BEGIN
  SELECT * INTO v_parent FROM tasker.tasks t WHERE t.task_uuid = p_parent FOR NO KEY UPDATE;
  SELECT coalesce(ts.step_type, 'standard') INTO v_type
    FROM tasker.workflow_steps s LEFT JOIN tasker.template_steps ts ON ts.digest = v_parent.template_digest AND ts.step_no = s.step_no
   WHERE s.workflow_step_uuid = p_step AND s.task_uuid = p_parent AND s.state = 'in_progress' AND s.attempts = p_attempt AND s.msg_id = p_msg;
  IF NOT FOUND THEN
    RETURN NEXT tasker._row(CASE WHEN EXISTS (SELECT 1 FROM tasker.sub_tasks st WHERE st.step_uuid = p_step AND st.attempt = p_attempt) THEN 'already' ELSE 'stale' END,
                            1, p_step, p_parent, p_attempt, NULL, NULL, NULL);
    RETURN;
  END IF;

  v_depth := 1 + coalesce((SELECT st.depth FROM tasker.sub_tasks st WHERE st.child_uuid = p_parent), 0);
  v_count := 1 + (SELECT count(*) FROM (SELECT 1 FROM tasker.sub_tasks st WHERE st.parent_uuid = p_parent LIMIT p_count_max) x);
  IF v_type IN ('decision', 'batchable') OR v_depth > p_depth_max OR v_count > p_count_max THEN
    RETURN NEXT tasker._row('refused', CASE WHEN v_depth > p_depth_max THEN v_depth ELSE v_count END, p_step, p_parent, p_attempt, NULL,
                            CASE WHEN v_type IN ('decision', 'batchable') THEN 'step_type' WHEN v_depth > p_depth_max THEN 'depth' ELSE 'count' END, NULL);
    RETURN;
  END IF;

  SELECT array_agg(r), array_agg(r.kind) INTO v_rows, v_kinds
    FROM tasker.create_task(p_child, p_digest, p_identity, p_context, coalesce(p_priority, v_parent.priority), p_correlation, v_parent.correlation_id,
                            coalesce(p_initiator, v_parent.initiator), p_source, p_reason, p_tags, p_requested, p_steps, p_credit_ns, p_credit_n, p_lease_ms,
                            p_processor) r;
  IF NOT 'created' = ANY (v_kinds) THEN
    RETURN NEXT tasker._row('unmade', 1, p_step, p_parent, p_attempt, NULL, v_kinds[1], NULL);
    RETURN;
  END IF;

  INSERT INTO tasker.sub_tasks (child_uuid, parent_uuid, step_uuid, attempt, depth, wait_blocked, worker_id, exec_ms, stages, created_at)
  VALUES (p_child, p_parent, p_step, p_attempt, v_depth, p_wait_blocked, p_worker, p_exec_ms, p_stages, v_now);
  UPDATE tasker.open_tasks o SET related = true WHERE o.task_uuid = p_parent AND NOT o.related;
  UPDATE tasker.open_tasks o SET related = true WHERE o.task_uuid = p_child;
  UPDATE tasker.workflow_steps s SET state = 'enqueued_for_orchestration', msg_id = NULL, updated_at = v_now WHERE s.workflow_step_uuid = p_step;
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor, reason)
  VALUES (p_step, p_parent, 'in_progress', 'enqueued_for_orchestration', p_attempt, v_now, p_worker, 'waits for sub-task ' || p_child);
  PERFORM tasker._delete(v_parent.namespace, ARRAY[p_msg]);
  RETURN NEXT tasker._row('waits', 1, p_step, p_child, p_attempt, NULL, NULL, NULL);
  RETURN QUERY SELECT r.* FROM tasker._advance_tasks(ARRAY[p_parent], ARRAY[0], ARRAY[0], ARRAY[-1], ARRAY[0], p_processor) r;
  RETURN QUERY SELECT r.* FROM unnest(v_rows) r;
END $$;
