-- tasker.claim_steps(namespaces, counts, lease_ms, losses_max, processor, lost): reads queues on behalf of workers with credit.
-- Visible messages are looked at in the order of their turns (tasker._turn) without locking, then the task rows are locked in uuid order, then each message is looked at
-- again under that lock: queue rows are only ever locked after their task (settling deletes them in that order), so nobody
-- waits crosswise. This is why pgmq.read, which locks messages first, is not used here.
-- An enqueued step becomes in progress. A step already in progress whose message is visible lost its worker (nobody renewed
-- the lease): it goes on as a new attempt that is not counted against its budget, or becomes an error when it must not run
-- twice (retryable false) or was lost too often. lost: true asks for such messages alone, false for those alone that wait for their turn, NULL for
-- both, these first. Apart from each other, because the places of messages that were with a worker and are gone lie between the two in the index, and
-- while somebody holds an old snapshot they cannot be cleared away: a look past them took 0.2 s after a minute of 8,000 steps/s.
-- A step that was handed over 32,000 times makes it raise, before its attempts overflow; claim_apart finds out which, and asks for one message alone (p_only).
-- Returns 'assign', 'failed', 'done', 'dropped' (a message with nothing to do), and 'more' per namespace that had at least as
-- many messages as asked for.
DROP FUNCTION IF EXISTS tasker.claim_steps(text[], int[], int, int, uuid); -- before there were turns
DROP FUNCTION IF EXISTS tasker.claim_steps(text[], int[], int, int, uuid, boolean);
CREATE OR REPLACE FUNCTION tasker.claim_steps(p_ns text[], p_n int[], p_lease_ms int, p_losses_max int, p_processor uuid, p_lost boolean DEFAULT NULL,
                                              p_only bigint DEFAULT NULL)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now    timestamptz := clock_timestamp();
  v_after  timestamptz := CASE WHEN p_lost THEN tasker._turns_end(v_now) ELSE '-infinity' END;
  v_until  timestamptz := CASE WHEN p_lost IS FALSE THEN tasker._turns_end(v_now) ELSE v_now END;
  m_id     bigint[] := '{}';  m_step uuid[] := '{}';  m_ns text[] := '{}';
  n_id     bigint[];  n_step uuid[];
  v_task   uuid[];  -- locked, in uuid order
  g_step   uuid[];  g_ns text[];  g_msg bigint[];  g_lost boolean[];
  x_step   uuid[];  x_att int[];  x_msg bigint[];  x_ns text[];
  v_worn   boolean; -- one was handed over too often
BEGIN
  FOR i IN 1 .. coalesce(cardinality(p_ns), 0) LOOP
    CONTINUE WHEN p_n[i] <= 0 OR NOT EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = tasker.queue_name(p_ns[i]));
    EXECUTE format('SELECT array_agg(q.msg_id ORDER BY q.vt, q.msg_id), array_agg(tasker._message_step(q.message) ORDER BY q.vt, q.msg_id)
                      FROM (SELECT vt, msg_id, message FROM pgmq.%I WHERE vt <= $2 AND vt > $3 %s ORDER BY vt LIMIT $1) q',
                   pgmq.format_table_name(tasker.queue_name(p_ns[i]), 'q'), CASE WHEN p_only IS NOT NULL THEN 'AND msg_id = $4' END)
       INTO n_id, n_step USING p_n[i], v_until, v_after, p_only;
    CONTINUE WHEN n_id IS NULL;
    m_id := m_id || n_id;
    m_step := m_step || n_step;
    m_ns := m_ns || array_fill(p_ns[i], ARRAY[cardinality(n_id)]);
    IF cardinality(n_id) >= p_n[i] THEN
      RETURN NEXT tasker._row('more', NULL, NULL, NULL, NULL, p_ns[i], NULL, NULL);
    END IF;
  END LOOP;
  IF cardinality(m_id) = 0 THEN RETURN; END IF;

  SELECT array_agg(l.task_uuid) INTO v_task
    FROM (SELECT t.task_uuid FROM tasker.tasks t
           WHERE t.task_uuid = ANY (array(SELECT s.task_uuid FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = ANY (m_step)))
           ORDER BY t.task_uuid FOR NO KEY UPDATE) l;

  -- Messages that lead nowhere: no step, or a step that knows another message or none.
  SELECT array_agg(m.id), array_agg(m.ns) INTO x_msg, x_ns
    FROM unnest(m_id, m_step, m_ns) m(id, step, ns)
    LEFT JOIN tasker.workflow_steps s ON s.workflow_step_uuid = m.step
   WHERE s.msg_id IS DISTINCT FROM m.id;
  IF x_msg IS NOT NULL THEN
    PERFORM tasker._delete_messages(x_ns, x_msg);
    RETURN QUERY SELECT (tasker._row('dropped', NULL, NULL, NULL, NULL, x.ns, NULL, NULL)).* FROM unnest(x_ns) x(ns);
  END IF;

  SELECT array_agg(s.workflow_step_uuid), array_agg(m.ns), array_agg(m.id), array_agg(s.state = 'in_progress'), bool_or(s.attempts >= 32000)
    INTO g_step, g_ns, g_msg, g_lost, v_worn
    FROM unnest(m_id, m_step, m_ns) m(id, step, ns)
    JOIN tasker.workflow_steps s ON s.workflow_step_uuid = m.step AND s.msg_id = m.id AND s.state IN ('enqueued', 'in_progress');
  IF g_step IS NULL THEN RETURN; END IF;
  IF v_worn THEN
    RAISE program_limit_exceeded USING MESSAGE = 'a step was handed over 32000 times, more is not counted';
  END IF;

  -- A lease may have been renewed, or the message claimed, while we waited for the task.
  SELECT array_agg(g.step), array_agg(g.ns), array_agg(g.msg), array_agg(g.lost) INTO g_step, g_ns, g_msg, g_lost
    FROM unnest(g_step, g_ns, g_msg, g_lost) g(step, ns, msg, lost) WHERE NOT g.lost OR tasker._visible(g.ns, g.msg);
  IF g_step IS NULL THEN RETURN; END IF;

  SELECT array_agg(s.workflow_step_uuid), array_agg(s.attempts), array_agg(g.msg), array_agg(g.ns) INTO x_step, x_att, x_msg, x_ns
    FROM unnest(g_step, g_ns, g_msg, g_lost) g(step, ns, msg, lost)
    JOIN tasker.workflow_steps s ON s.workflow_step_uuid = g.step
   WHERE g.lost AND (NOT s.retryable OR s.losses >= p_losses_max);
  IF x_step IS NOT NULL THEN
    RETURN QUERY SELECT r.* FROM tasker._fail_lost(x_step, x_att, x_msg, x_ns, p_processor) r;
    SELECT array_agg(g.step), array_agg(g.ns), array_agg(g.msg) INTO g_step, g_ns, g_msg
      FROM unnest(g_step, g_ns, g_msg) g(step, ns, msg) WHERE NOT g.step = ANY (x_step);
    IF g_step IS NULL THEN RETURN; END IF;
  END IF;

  FOR i IN 1 .. cardinality(p_ns) LOOP
    PERFORM pgmq.set_vt(tasker.queue_name(p_ns[i]), array(SELECT g.msg FROM unnest(g_ns, g_msg) g(ns, msg) WHERE g.ns = p_ns[i]),
                        clock_timestamp() + p_lease_ms * interval '1 millisecond')
      WHERE p_ns[i] = ANY (g_ns);
  END LOOP;
  WITH upd AS (
    UPDATE tasker.workflow_steps s
       SET state = 'in_progress', attempts = s.attempts + 1, dispatched_at = v_now, updated_at = v_now,
           forgiven = s.forgiven + CASE WHEN was.state = 'in_progress' THEN 1 ELSE 0 END,
           losses = s.losses + CASE WHEN was.state = 'in_progress' THEN 1 ELSE 0 END
      FROM unnest(g_step) g(step)
      JOIN tasker.workflow_steps was ON was.workflow_step_uuid = g.step
     WHERE s.workflow_step_uuid = g.step
    RETURNING s.workflow_step_uuid, s.task_uuid, was.state, s.attempts, s.queue_timeout_ms
  ), taken AS (
    DELETE FROM tasker.queue_timers q
     WHERE q.workflow_step_uuid = ANY (array(SELECT upd.workflow_step_uuid FROM upd WHERE upd.queue_timeout_ms IS NOT NULL)))
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, reason)
  SELECT workflow_step_uuid, task_uuid, state, 'in_progress', attempts, v_now, CASE WHEN state = 'in_progress' THEN 'lease ended' END FROM upd;
  RETURN QUERY SELECT r.* FROM tasker._assignments(g_step, v_task) r;
END $$;
