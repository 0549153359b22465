-- tasker.create_task(one request, credit, lease): what create_tasks does with a batch of one, in plain statements: see settle_step.
-- A graph with many roots, roots without credit, a paused template, a later start, and whatever cannot be stored go to create_tasks.
-- Returns, locks and writes: as create_tasks.
DROP FUNCTION IF EXISTS tasker.create_task(uuid, text, bytea, text, int, uuid, uuid, text, text, text, text, timestamptz, uuid[], text[], int[], int, uuid);
DROP FUNCTION IF EXISTS tasker.create_task(uuid, text, bytea, text, int, uuid, uuid, text, text, text, text, timestamptz, uuid[], text[], int[], int, uuid,
  timestamptz, timestamptz, int); -- before requests had an on_timeout
CREATE OR REPLACE FUNCTION tasker.create_task(
  p_task uuid, p_digest text, p_identity bytea, p_context text, p_priority int, p_correlation uuid, p_parent uuid, p_initiator text, p_source text,
  p_reason text, p_tags text, p_requested timestamptz, p_steps uuid[], p_credit_ns text[], p_credit_n int[], p_lease_ms int, p_processor uuid,
  p_run_at timestamptz DEFAULT NULL, p_deadline timestamptz DEFAULT NULL, p_timeout_s int DEFAULT NULL,
  p_on_timeout text DEFAULT NULL)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now    timestamptz := clock_timestamp();
  v_named  uuid;  v_ns text;
  v_n      int;  v_roots int[];
  v_msg    bigint[] := '{}';
  v_ready  uuid[] := '{}';
  v_plain  boolean;  v_paused boolean;
  v_timeout_s int;  v_deadline timestamptz;
  v_row    tasker.engine_row;
BEGIN
  SELECT n.named_task_uuid, ns.name, n.paused OR ns.paused, coalesce(p_timeout_s, n.timeout_s) INTO v_named, v_ns, v_paused, v_timeout_s
    FROM tasker.named_tasks n JOIN tasker.namespaces ns ON ns.namespace_uuid = n.namespace_uuid WHERE n.digest = p_digest LIMIT 1;
  SELECT count(*), array_agg(ts.start_pos) FILTER (WHERE ts.parents = 0) INTO v_n, v_roots
    FROM tasker.template_steps ts WHERE ts.digest = p_digest AND ts.created_at_start;

  -- A digest that no name stands for any more has steps, but no namespace: its credit is none, where least() would pass over a NULL.
  v_plain := v_named IS NOT NULL AND NOT v_paused AND (p_run_at > v_now) IS NOT TRUE AND v_n = cardinality(p_steps)
             AND cardinality(v_roots) <= least(4, coalesce(p_credit_n[array_position(p_credit_ns, v_ns)], 0));
  IF v_plain THEN
    v_deadline := least(p_deadline, v_now + v_timeout_s * interval '1 second');
    INSERT INTO tasker.tasks (task_uuid, named_task_uuid, template_digest, namespace, state, priority, total_steps, open_steps, active_steps, correlation_id,
                              parent_correlation_id, initiator, source_system, reason, tags, context, identity_hash, requested_at, created_at,
                              run_at, deadline, on_timeout)
    VALUES (p_task, v_named, p_digest, v_ns, 'steps_in_process', p_priority, v_n, v_n, cardinality(v_roots), p_correlation, p_parent, p_initiator, p_source,
            p_reason, p_tags::jsonb, p_context::jsonb, p_identity, p_requested, v_now, p_run_at, v_deadline, p_on_timeout)
    ON CONFLICT (identity_hash) DO NOTHING;
    v_plain := FOUND;
  END IF;
  IF v_plain IS NOT TRUE THEN -- nothing was stored yet
    RETURN QUERY SELECT r.* FROM tasker.create_tasks(ARRAY[p_task], ARRAY[p_digest], ARRAY[p_identity], ARRAY[p_context], ARRAY[p_priority], ARRAY[p_correlation],
                                                     ARRAY[p_parent], ARRAY[p_initiator], ARRAY[p_source], ARRAY[p_reason], ARRAY[p_tags], ARRAY[p_requested],
                                                     p_steps, ARRAY[1], p_credit_ns, p_credit_n, p_lease_ms, p_processor, ARRAY[p_run_at],
                                                     ARRAY[p_deadline], ARRAY[p_timeout_s], ARRAY[p_on_timeout]) r;
    RETURN;
  END IF;
  IF p_tags <> '[]' THEN PERFORM tasker._add_tags(ARRAY[p_task], ARRAY[p_tags]); END IF;
  INSERT INTO tasker.open_tasks (task_uuid, namespace, created_at, due_at) VALUES (p_task, v_ns, v_now, v_deadline);
  INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid) VALUES (p_task, NULL, 'steps_in_process', v_now, p_processor);

  -- The roots' messages first, so that their rows are written once.
  FOREACH v_n IN ARRAY v_roots LOOP
    v_msg := v_msg || tasker._hand_on(v_ns, NULL, v_now + p_lease_ms * interval '1 millisecond', p_steps[v_n], p_task, p_correlation);
    v_ready := v_ready || p_steps[v_n];
    INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at)
    VALUES (p_steps[v_n], p_task, 'pending', 'in_progress', 1, v_now);
  END LOOP;
  INSERT INTO tasker.workflow_steps (workflow_step_uuid, task_uuid, step_no, name, state, unmet_parents, attempts, max_attempts, retryable, msg_id, created_at,
                                     updated_at, dispatched_at, queue_timeout_ms)
  SELECT p_steps[ts.start_pos], p_task, ts.step_no, ts.name, (CASE WHEN r.at IS NULL THEN 'pending' ELSE 'in_progress' END)::tasker.step_state, ts.parents,
         CASE WHEN r.at IS NULL THEN 0 ELSE 1 END, ts.max_attempts, ts.retryable, v_msg[r.at], v_now,
         CASE WHEN r.at IS NOT NULL THEN v_now END, CASE WHEN r.at IS NOT NULL THEN v_now END, ts.queue_timeout_ms
    FROM tasker.template_steps ts CROSS JOIN LATERAL (SELECT array_position(v_roots, ts.start_pos) AS at) r
   WHERE ts.digest = p_digest AND ts.created_at_start;
  INSERT INTO tasker.workflow_step_edges (from_step_uuid, to_step_uuid)
  SELECT p_steps[e.from_pos], p_steps[e.to_pos] FROM tasker.template_edges e WHERE e.digest = p_digest AND e.from_pos > 0;

  IF v_deadline IS NOT NULL THEN
    RETURN NEXT tasker._row('timer', NULL, NULL, p_task, NULL, NULL, NULL, v_deadline);
  END IF;
  RETURN QUERY SELECT a.* FROM tasker._assignments(v_ready, ARRAY[p_task]) a;
  v_row := tasker._row('created', 1, NULL, p_task, cardinality(v_roots), NULL, NULL, v_now);
  v_row.step_no := cardinality(p_steps) - cardinality(v_roots);
  RETURN NEXT v_row;
END $$;
