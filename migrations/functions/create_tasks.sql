-- tasker.create_tasks(requests as parallel arrays, step uuids, credit, lease): stores tasks with their steps and edges and
-- dispatches the roots, one transaction for all requests that wait; each fails alone.
--   p_steps: for request i its steps that exist from the start, in step order, beginning at p_step_first[i] (from 1).
-- A task whose template or namespace is paused, or whose run_at is still to come, is held from the start: nothing of it is dispatched. Its deadline is the
-- earlier of the one given and the end of its timeout (given, or its template's), which counts from its start.
-- Returns per request (idx from 1): 'created' (due_at = created_at, attempt = roots in progress, step_no = steps that wait for
-- others, step_name = its state when it is held), 'duplicate' (task_uuid = the task that is there), 'unknown_template' (no template version stands on this digest any
-- more), 'step_count'; then 'timer' (the earliest start or deadline of them), 'assign' and 'queued' rows.
-- Locks: new rows only; identities are inserted in order, so two calls never wait crosswise.
DROP FUNCTION IF EXISTS tasker.create_tasks(uuid[], text[], bytea[], text[], int[], uuid[], uuid[], text[], text[], text[], text[], timestamptz[], uuid[], int[],
  text[], int[], int, uuid); -- before there was time
DROP FUNCTION IF EXISTS tasker.create_tasks(uuid[], text[], bytea[], text[], int[], uuid[], uuid[], text[], text[], text[], text[], timestamptz[], uuid[], int[],
  text[], int[], int, uuid, timestamptz[], timestamptz[], int[]); -- before requests had an on_timeout
CREATE OR REPLACE FUNCTION tasker.create_tasks(
  p_task uuid[], p_digest text[], p_identity bytea[], p_context text[], p_priority int[], p_correlation uuid[], p_parent uuid[],
  p_initiator text[], p_source text[], p_reason text[], p_tags text[], p_requested timestamptz[], p_steps uuid[], p_step_first int[],
  p_credit_ns text[], p_credit_n int[], p_lease_ms int, p_processor uuid,
  p_run_at timestamptz[] DEFAULT NULL, p_deadline timestamptz[] DEFAULT NULL, p_timeout_s int[] DEFAULT NULL,
  p_on_timeout text[] DEFAULT NULL)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  c_idx  int[];  c_task uuid[];  c_digest text[];  c_held uuid[];  c_steps int[];  c_roots int[];
  r_step uuid[];  r_task uuid[];  r_corr uuid[];  r_digest text[];  r_no smallint[];
  v_ns   text;  v_sorted uuid[];  v_roots bigint;
  v_due  timestamptz;
  v_row  tasker.engine_row;
BEGIN
  WITH req AS (
    SELECT r.*, coalesce(p_step_first[r.idx + 1], cardinality(p_steps) + 1) - p_step_first[r.idx] AS steps_n,
           nt.named_task_uuid, ns.name AS namespace, st.at_start, st.roots,
           CASE WHEN nt.paused THEN 2 ELSE 0 END + CASE WHEN ns.paused THEN 4 ELSE 0 END + CASE WHEN r.run_at > v_now THEN 8 ELSE 0 END AS held,
           coalesce(nullif(r.timeout_s, 0), nt.timeout_s) AS takes_s,
           least(r.until, greatest(v_now, r.run_at) + coalesce(nullif(r.timeout_s, 0), nt.timeout_s) * interval '1 second') AS deadline
      FROM unnest(p_task, p_digest, p_identity, p_context, p_priority, p_correlation, p_parent, p_initiator, p_source, p_reason, p_tags, p_requested,
                  p_run_at, p_deadline, p_timeout_s, p_on_timeout)
           WITH ORDINALITY r(task, digest, identity, context, priority, correlation, parent, initiator, source, reason, tags, requested, run_at, until, timeout_s, on_timeout, idx)
      JOIN LATERAL (SELECT n.named_task_uuid, n.namespace_uuid, n.paused, n.timeout_s FROM tasker.named_tasks n WHERE n.digest = r.digest LIMIT 1) nt ON true
      JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
      JOIN LATERAL (SELECT count(*)::int AS at_start, count(*) FILTER (WHERE ts.parents = 0)::int AS roots
                      FROM tasker.template_steps ts WHERE ts.digest = r.digest AND ts.created_at_start) st ON true
  ), ins AS (
    INSERT INTO tasker.tasks (task_uuid, named_task_uuid, template_digest, namespace, state, priority, total_steps, open_steps, active_steps,
                              correlation_id, parent_correlation_id, initiator, source_system, reason, tags, context, identity_hash,
                              requested_at, created_at, held, run_at, deadline, on_timeout, timeout_s)
    SELECT req.task, req.named_task_uuid, req.digest, req.namespace,
           CASE WHEN req.held = 0 THEN 'steps_in_process'::tasker.task_state ELSE 'waiting_for_dependencies' END, req.priority, req.at_start, req.at_start,
           CASE WHEN req.held = 0 THEN req.roots ELSE 0 END,
           req.correlation, req.parent, req.initiator, req.source, req.reason, req.tags::jsonb, req.context::jsonb, req.identity,
           req.requested, v_now, req.held, req.run_at, req.deadline, req.on_timeout, CASE WHEN req.held & 8 <> 0 THEN req.takes_s END
      FROM req WHERE req.steps_n = req.at_start AND req.at_start > 0
     ORDER BY req.identity
    ON CONFLICT (identity_hash) DO NOTHING
    RETURNING task_uuid)
  SELECT array_agg(req.idx::int), array_agg(req.task), array_agg(req.digest), array_agg(req.task) FILTER (WHERE req.held <> 0),
         array_agg(req.at_start), array_agg(req.roots), array_agg(req.task ORDER BY req.task), sum(req.roots),
         CASE WHEN min(req.namespace) = max(req.namespace) THEN min(req.namespace) END
    INTO c_idx, c_task, c_digest, c_held, c_steps, c_roots, v_sorted, v_roots, v_ns
    FROM ins JOIN req ON req.task = ins.task_uuid;

  -- Who was not stored, and why.
  IF coalesce(cardinality(c_idx), 0) < cardinality(p_task) THEN
    RETURN QUERY
    SELECT (tasker._row(CASE WHEN t.task_uuid IS NOT NULL THEN 'duplicate'
                             WHEN NOT EXISTS (SELECT 1 FROM tasker.named_tasks n WHERE n.digest = r.digest) THEN 'unknown_template'
                             ELSE 'step_count' END, r.idx::int, NULL, t.task_uuid, NULL, NULL, NULL, NULL)).*
      FROM unnest(p_digest, p_identity) WITH ORDINALITY r(digest, identity, idx)
      LEFT JOIN tasker.tasks t ON t.identity_hash = r.identity
     WHERE c_idx IS NULL OR NOT r.idx = ANY (c_idx);
  END IF;
  IF c_idx IS NULL THEN RETURN; END IF;
  IF array_remove(p_tags, '[]') <> '{}' THEN
    PERFORM tasker._add_tags(c_task, array(SELECT p_tags[c.idx] FROM unnest(c_idx) WITH ORDINALITY c(idx, n) ORDER BY c.n));
  END IF;

  WITH ins AS (
    INSERT INTO tasker.open_tasks (task_uuid, namespace, created_at, due_at)
    SELECT c.task, t.namespace, v_now, least(t.deadline, CASE WHEN t.held & 8 <> 0 THEN t.run_at END)
      FROM unnest(c_task) c(task) JOIN tasker.tasks t ON t.task_uuid = c.task
    RETURNING due_at
  ), history AS (
    INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid)
    SELECT c.task, NULL, CASE WHEN c.task = ANY (c_held) THEN 'waiting_for_dependencies'::tasker.task_state ELSE 'steps_in_process' END, v_now, p_processor
      FROM unnest(c_task) c(task))
  SELECT min(ins.due_at) INTO v_due FROM ins;
  IF v_due IS NOT NULL THEN
    RETURN NEXT tasker._row('timer', NULL, NULL, NULL, NULL, NULL, NULL, v_due);
  END IF;

  -- In the common case, one namespace and credit for all roots, each step is written once, as what it is.
  IF c_held IS NULL AND v_roots <= coalesce(p_credit_n[array_position(p_credit_ns, v_ns)], 0) THEN
    SELECT array_agg(x.step), array_agg(x.task), array_agg(x.corr), array_agg(x.digest), array_agg(x.step_no)
      INTO r_step, r_task, r_corr, r_digest, r_no
      FROM (SELECT p_steps[p_step_first[c.idx] + ts.start_pos - 1] AS step, c.task, p_correlation[c.idx] AS corr, c.digest, ts.step_no
              FROM unnest(c_idx, c_task, c_digest) c(idx, task, digest)
              JOIN tasker.template_steps ts ON ts.digest = c.digest AND ts.created_at_start AND ts.parents = 0
             ORDER BY p_priority[c.idx] DESC, c.task, ts.step_no) x;
    WITH steps AS (
      INSERT INTO tasker.workflow_steps (workflow_step_uuid, task_uuid, step_no, name, state, unmet_parents, attempts, max_attempts, retryable, msg_id,
                                         created_at, updated_at, dispatched_at, queue_timeout_ms)
      SELECT r.step, r.task, ts.step_no, ts.name, 'in_progress'::tasker.step_state, 0, 1, ts.max_attempts, ts.retryable, r.msg, v_now, v_now, v_now, ts.queue_timeout_ms
        FROM unnest(r_step, r_task, r_digest, r_no, tasker._hand_on_all(v_ns, NULL, v_now + p_lease_ms * interval '1 millisecond', r_step, r_task, r_corr))
             r(step, task, digest, step_no, msg)
        JOIN tasker.template_steps ts ON ts.digest = r.digest AND ts.step_no = r.step_no
      UNION ALL
      SELECT p_steps[p_step_first[c.idx] + ts.start_pos - 1], c.task, ts.step_no, ts.name, 'pending', ts.parents, 0, ts.max_attempts, ts.retryable, NULL, v_now, NULL, NULL,
             ts.queue_timeout_ms
        FROM unnest(c_idx, c_task, c_digest) c(idx, task, digest)
        JOIN tasker.template_steps ts ON ts.digest = c.digest AND ts.created_at_start AND ts.parents > 0
    ), history AS (
      INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at)
      SELECT r.step, r.task, 'pending', 'in_progress', 1, v_now FROM unnest(r_step, r_task) r(step, task))
    INSERT INTO tasker.workflow_step_edges (from_step_uuid, to_step_uuid)
    SELECT p_steps[p_step_first[c.idx] + e.from_pos - 1], p_steps[p_step_first[c.idx] + e.to_pos - 1]
      FROM unnest(c_idx, c_digest) c(idx, digest)
      JOIN tasker.template_edges e ON e.digest = c.digest AND e.from_pos > 0;
    RETURN QUERY SELECT a.* FROM tasker._assignments(r_step, v_sorted) a;
    FOR i IN 1..cardinality(c_idx) LOOP
      v_row := tasker._row('created', c_idx[i], NULL, c_task[i], c_roots[i], NULL, NULL, v_now);
      v_row.step_no := c_steps[i] - c_roots[i];
      RETURN NEXT v_row;
    END LOOP;
    RETURN;
  END IF;

  WITH ins AS (
    INSERT INTO tasker.workflow_steps (workflow_step_uuid, task_uuid, step_no, name, state, unmet_parents, max_attempts, retryable, queue_timeout_ms, created_at)
    SELECT p_steps[p_step_first[c.idx] + ts.start_pos - 1], c.task, ts.step_no, ts.name, 'pending', ts.parents, ts.max_attempts, ts.retryable, ts.queue_timeout_ms,
           v_now
      FROM unnest(c_idx, c_task, c_digest) c(idx, task, digest)
      JOIN tasker.template_steps ts ON ts.digest = c.digest AND ts.created_at_start
    RETURNING workflow_step_uuid, unmet_parents, task_uuid)
  SELECT array_agg(workflow_step_uuid) FILTER (WHERE unmet_parents = 0 AND (c_held IS NULL OR NOT task_uuid = ANY (c_held))) INTO r_step FROM ins;

  INSERT INTO tasker.workflow_step_edges (from_step_uuid, to_step_uuid)
  SELECT p_steps[p_step_first[c.idx] + e.from_pos - 1], p_steps[p_step_first[c.idx] + e.to_pos - 1]
    FROM unnest(c_idx, c_digest) c(idx, digest)
    JOIN tasker.template_edges e ON e.digest = c.digest AND e.from_pos > 0;

  RETURN QUERY SELECT r.* FROM tasker._dispatch(r_step, p_credit_ns, p_credit_n, p_lease_ms) r;
  FOR v_row IN
    SELECT 'created', c.idx, v_now, NULL, c.task, count(*) FILTER (WHERE s.state = 'in_progress'), NULL, NULL, count(*) FILTER (WHERE s.state = 'pending'),
           CASE WHEN c.task = ANY (c_held) THEN 'waiting_for_dependencies' END, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
      FROM unnest(c_idx, c_task) c(idx, task) JOIN tasker.workflow_steps s ON s.task_uuid = c.task GROUP BY c.idx, c.task
  LOOP RETURN NEXT v_row; END LOOP;
END $$;
