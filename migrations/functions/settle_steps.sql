-- tasker.settle_steps(results as parallel arrays, credit, lease): the step of the engine. Stores each result once, settles
-- its step by compare-and-swap on (step, attempt, message), decrements the children, dispatches what became ready, and lets
-- the tasks follow: one transaction for everything that waits (docs/design/database.md).
-- Returns, per result (idx = its place, from 1): 'settled', 'retry' (due_at), 'failed', 'already' (this attempt was stored
-- before) or 'stale' (somebody else's now); then 'assign', 'queued' and 'done' rows; 'called_off' when a timeout ends a task (on_timeout: cancel).
-- Stages through arrays: the planner sees primary keys and arrays, nothing else. What a stage writes besides, it writes in its own
-- statement, because each statement of a small batch costs more than its rows. For the same reason the common case, successes of one
-- namespace whose children all find credit, ends in tasker._pass_on: four statements for what takes nine otherwise.
-- Locks: task rows in uuid order, then everything below them. Writes: workflow_steps, step_results, step_timers, tasks, PGMQ, history.
DROP FUNCTION IF EXISTS tasker.settle_steps(uuid[], uuid[], int[], bigint[], boolean[], boolean[], int[], text[], text[], int[], text[], int[], int, uuid);
CREATE OR REPLACE FUNCTION tasker.settle_steps(
  p_step uuid[], p_task uuid[], p_attempt int[], p_msg bigint[], p_success boolean[], p_retryable boolean[], p_delay_ms int[],
  p_result text[], p_worker text[], p_exec_ms int[], p_credit_ns text[], p_credit_n int[], p_lease_ms int, p_processor uuid,
  p_stages bigint[] DEFAULT NULL) -- five per result
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now   timestamptz := clock_timestamp();
  v_ns    text[];
  v_was   tasker.task_state[];
  v_locked uuid[];
  v_ready int;
  v_batch boolean;  f_batch boolean;  v_room uuid[];
  d_idx   int[];  d_step uuid[];  d_task uuid[];  d_att smallint[];  d_state tasker.step_state[];  d_due timestamptz[];
  f_idx   int[];  f_step uuid[];  f_task uuid[];  f_att smallint[];  f_state tasker.step_state[];  f_due timestamptz[];
  c_step  uuid[];  c_at tid[];  c_dec int[];  c_ready boolean[];  c_task uuid[];  c_corr uuid[]; -- at: where the row lies, which our lock on its task keeps as it is
  t_task  uuid[];  t_why text[];  -- a timeout ends these tasks
BEGIN
  SELECT array_agg(t.task_uuid), array_agg(t.namespace), array_agg(t.state) INTO v_locked, v_ns, v_was
    FROM (SELECT task_uuid, namespace, state FROM tasker.tasks WHERE task_uuid = ANY (p_task) ORDER BY task_uuid FOR NO KEY UPDATE) t;

  -- 1. Settle: successes, then (rarely) failures; the result with each.
  WITH upd AS (
    UPDATE tasker.workflow_steps s
       SET state = 'complete', settled_at = v_now, updated_at = v_now, msg_id = NULL
      FROM unnest(p_step, p_task, p_attempt, p_msg, p_success) WITH ORDINALITY r(step, task, att, msg, ok, idx)
     WHERE r.ok AND s.workflow_step_uuid = r.step AND s.task_uuid = r.task AND s.state = 'in_progress' AND s.attempts = r.att AND s.msg_id = r.msg
    RETURNING r.idx::int, s.workflow_step_uuid, s.task_uuid, s.attempts, s.instance
  ), res AS (
    INSERT INTO tasker.step_results (workflow_step_uuid, attempt, task_uuid, success, execution_time_ms, worker_id, result, recorded_at, stages)
    SELECT workflow_step_uuid, attempts, task_uuid, true, p_exec_ms[idx], p_worker[idx], p_result[idx]::json, v_now, p_stages[idx * 5 - 4 : idx * 5] FROM upd
)
  SELECT array_agg(idx), array_agg(workflow_step_uuid), array_agg(task_uuid), array_agg(attempts),
         array_agg('complete'::tasker.step_state), array_agg(NULL::timestamptz), bool_or(instance > 0)
    INTO d_idx, d_step, d_task, d_att, d_state, d_due, v_batch FROM upd;

  IF false = ANY (p_success) THEN
    WITH plan AS (
      SELECT r.idx::int AS idx, r.step, r.att, r.msg,
             (r.retry AND s.retryable AND s.attempts - s.forgiven < s.max_attempts AND coalesce(m.means, 'retry') = 'retry') AS again, m.means,
             v_now + interval '1 millisecond' * CASE
               WHEN r.delay >= 0 THEN least(r.delay, 3600000)
               ELSE tasker.backoff_ms(coalesce(ts.backoff, 'exponential'), coalesce(ts.backoff_base_ms, 1000), coalesce(ts.backoff_max_ms, 30000),
                                      s.attempts - s.forgiven, 2 * random() - 1) END AS due
        FROM unnest(p_step, p_task, p_attempt, p_msg, p_success, p_retryable, p_delay_ms) WITH ORDINALITY r(step, task, att, msg, ok, retry, delay, idx)
        JOIN tasker.workflow_steps s ON s.workflow_step_uuid = r.step AND s.task_uuid = r.task
        JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
        LEFT JOIN tasker.template_steps ts ON ts.digest = t.template_digest AND ts.step_no = s.step_no
        CROSS JOIN LATERAL (SELECT tasker._timeout_means(p_result[r.idx], ts.on_timeout, ts.on_queue_timeout) AS means) m
       WHERE NOT r.ok
    ), upd AS (
      UPDATE tasker.workflow_steps s
         SET state = (CASE WHEN plan.again THEN 'waiting_for_retry'
                           WHEN s.inputs #>> '{batch_metadata,failure_strategy}' = 'continue_on_failure' THEN 'complete' ELSE 'error' END)::tasker.step_state,
             next_retry_at = CASE WHEN plan.again THEN plan.due END,
             settled_at = v_now, last_failure_at = v_now, updated_at = v_now, msg_id = NULL
        FROM plan
       WHERE s.workflow_step_uuid = plan.step AND s.state = 'in_progress' AND s.attempts = plan.att AND s.msg_id = plan.msg
      RETURNING plan.idx, s.workflow_step_uuid, s.task_uuid, s.attempts, s.state, s.next_retry_at, plan.means, s.name, s.instance
    ), res AS (
      INSERT INTO tasker.step_results (workflow_step_uuid, attempt, task_uuid, success, execution_time_ms, worker_id, result, recorded_at, stages)
      SELECT workflow_step_uuid, attempts, task_uuid, false, p_exec_ms[idx], p_worker[idx], p_result[idx]::json, v_now, p_stages[idx * 5 - 4 : idx * 5] FROM upd
    ), timer AS (
      INSERT INTO tasker.step_timers (workflow_step_uuid, task_uuid, due_at)
      SELECT workflow_step_uuid, task_uuid, next_retry_at FROM upd WHERE state = 'waiting_for_retry')
    SELECT array_agg(idx), array_agg(workflow_step_uuid), array_agg(task_uuid), array_agg(attempts), array_agg(state), array_agg(next_retry_at),
           array_agg(task_uuid) FILTER (WHERE means = 'cancel'), array_agg(format('step %s has timed out', name)) FILTER (WHERE means = 'cancel'),
           bool_or(instance > 0 AND state <> 'waiting_for_retry')
      INTO f_idx, f_step, f_task, f_att, f_state, f_due, t_task, t_why, f_batch FROM upd;
    d_idx := d_idx || f_idx;  d_step := d_step || f_step;  d_task := d_task || f_task;  d_att := d_att || f_att;
    d_state := d_state || f_state;  d_due := d_due || f_due;
    v_batch := v_batch IS TRUE OR f_batch IS TRUE;
  END IF;

  -- 2. Whoever was not settled: stored before, or somebody else's now.
  IF coalesce(cardinality(d_idx), 0) < cardinality(p_step) THEN
    RETURN QUERY
    SELECT (tasker._row(CASE WHEN sr.attempt IS NOT NULL
                                  OR EXISTS (SELECT 1 FROM unnest(d_step, d_att) d(step, att) WHERE d.step = r.step AND d.att = r.att)
                             THEN 'already' ELSE 'stale' END,
                        r.idx::int, r.step, r.task, r.att, NULL, NULL, NULL)).*
      FROM unnest(p_step, p_task, p_attempt) WITH ORDINALITY r(step, task, att, idx)
      LEFT JOIN tasker.step_results sr ON sr.workflow_step_uuid = r.step AND sr.attempt = r.att AND sr.task_uuid = r.task
     WHERE d_idx IS NULL OR NOT r.idx = ANY (d_idx);
  END IF;
  IF d_idx IS NULL THEN RETURN; END IF;

  IF v_batch THEN v_room := array(SELECT tasker._make_room(d_step, d_state)); END IF;

  -- 3. The children, those that become ready first by priority, then older tasks, then step number; a task that has failed or is
  -- held gets nothing new; where failures are isolated, one that has failed does.
  SELECT array_agg(x.to_step), array_agg(x.at), array_agg(x.dec), array_agg(x.ready), array_agg(x.task_uuid), array_agg(x.correlation_id), count(*) FILTER (WHERE x.ready)
    INTO c_step, c_at, c_dec, c_ready, c_task, c_corr, v_ready
    FROM (SELECT e.to_step, s.at, e.dec, s.task_uuid, t.correlation_id,
                 s.unmet_parents = e.dec AND t.held = 0 AND (NOT (t.failed_steps > 0 OR s.task_uuid = ANY (coalesce(
                   array(SELECT f.task FROM unnest(f_task, f_state) f(task, state) WHERE f.state = 'error'), '{}')))
                   OR tasker._isolated(s.instance, s.inputs)) AS ready
            FROM (SELECT x.to_step, count(*)::int AS dec
                    FROM (SELECT we.to_step_uuid AS to_step
                            FROM unnest(d_step, d_state) d(step, state)
                            JOIN tasker.workflow_step_edges we ON we.from_step_uuid = d.step
                           WHERE d.state = 'complete'
                          UNION ALL SELECT unnest(v_room)) x GROUP BY 1) e
           CROSS JOIN LATERAL (SELECT w.ctid AS at, w.task_uuid, w.unmet_parents, w.step_no, w.instance, w.inputs FROM tasker.workflow_steps w -- OFFSET 0: by key, whatever the statistics
                                WHERE w.workflow_step_uuid = e.to_step AND w.state = 'pending' OFFSET 0) s
            JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
           ORDER BY t.priority DESC, s.task_uuid, s.step_no) x;

  -- 4. In the common case, the rest in one go.
  IF f_idx IS NULL AND v_ns[1] = ALL (v_ns) AND v_ready <= coalesce(p_credit_n[array_position(p_credit_ns, v_ns[1])], 0) THEN
    RETURN QUERY SELECT r.* FROM tasker._pass_on(v_ns[1], v_locked, v_was, array(SELECT p_msg[i] FROM unnest(d_idx) i), d_idx, d_step, d_task, d_att,
                                                 p_worker, c_step, c_at, c_dec, c_ready, c_task, c_corr, v_now,
                                                 p_lease_ms, p_processor) r;
    RETURN;
  END IF;

  -- 5. The messages and the history. Message ids are unique per queue only, but what was settled held its message under its task's lock.
  PERFORM tasker._delete_messages(array(SELECT (SELECT t.namespace FROM tasker.tasks t WHERE t.task_uuid = d.task)
                                          FROM unnest(d_task) WITH ORDINALITY d(task, n) ORDER BY d.n),
                                  array(SELECT p_msg[d.i] FROM unnest(d_idx) WITH ORDINALITY d(i, n) ORDER BY d.n));
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, actor)
  SELECT d.step, d.task, 'in_progress', d.state, d.att, v_now, p_worker[d.idx] FROM unnest(d_idx, d_step, d_task, d_att, d_state) d(idx, step, task, att, state);
  RETURN QUERY
  SELECT (tasker._row(CASE d.state WHEN 'complete' THEN 'settled' WHEN 'error' THEN 'failed' ELSE 'retry' END,
                      d.idx, d.step, d.task, d.att, NULL, NULL, d.due)).*
    FROM unnest(d_idx, d_step, d_task, d_att, d_state, d_due) d(idx, step, task, att, state, due);

  -- 6. The children: one update each, however many parents finished.
  IF false = ANY (c_ready) THEN
    UPDATE tasker.workflow_steps s SET unmet_parents = s.unmet_parents - c.dec, updated_at = v_now
      FROM unnest(c_at, c_dec, c_ready) c(at, dec, ready) WHERE s.ctid = c.at AND NOT c.ready;
  END IF;
  IF v_ready > 0 THEN
    RETURN QUERY SELECT r.* FROM tasker._dispatch(array(SELECT c.step FROM unnest(c_step, c_ready) c(step, ready) WHERE c.ready), p_credit_ns, p_credit_n, p_lease_ms) r;
  END IF;

  -- 7. The tasks.
  RETURN QUERY SELECT r.* FROM (
    SELECT array_agg(x.task) AS task, array_agg(x.o) AS o, array_agg(x.f) AS f, array_agg(x.a) AS a, array_agg(x.r) AS r
      FROM (SELECT u.task, sum(u.o)::int AS o, sum(u.f)::int AS f, sum(u.a)::int AS a, sum(u.r)::int AS r
              FROM (SELECT d.task, CASE WHEN d.state = 'complete' THEN -1 ELSE 0 END AS o, CASE WHEN d.state = 'error' THEN 1 ELSE 0 END AS f,
                           -1 AS a, CASE WHEN d.state = 'waiting_for_retry' THEN 1 ELSE 0 END AS r
                      FROM unnest(d_task, d_state) d(task, state)
                    UNION ALL
                    SELECT c.task, 0, 0, 1, 0 FROM unnest(c_task, c_ready) c(task, ready) WHERE c.ready) u
             GROUP BY u.task) x) delta,
    LATERAL tasker._advance_tasks(delta.task, delta.o, delta.f, delta.a, delta.r, p_processor) r
   WHERE t_task IS NULL OR NOT r.task_uuid = ANY (t_task);
  IF t_task IS NOT NULL THEN
    RETURN QUERY SELECT r.* FROM (SELECT DISTINCT ON (u.task) u.task, u.why FROM unnest(t_task, t_why) u(task, why) ORDER BY u.task) e,
                 LATERAL tasker._end_task(e.task, 'cancelled', e.why, p_processor) r;
  END IF;
END $$;
