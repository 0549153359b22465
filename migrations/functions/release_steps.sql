-- tasker.release_steps(held executions, lost flags, losses_max, processor, given back): takes assignments back. Not lost (never sent, or given back by
-- a worker that had not begun them): back into the queue, to the front of its task, nothing counted. Lost (its worker's stream ended): the same and the loss is counted, or an error when
-- the step must not run twice or was lost too often. Only where (step, attempt, message) still hold.
-- Returns 'queued' per namespace (idx = how many), 'timer', 'failed', 'stale' and 'done' rows.
DROP FUNCTION IF EXISTS tasker.release_steps(uuid[], int[], bigint[], text[], boolean[], int, uuid); -- before workers gave anything back
CREATE OR REPLACE FUNCTION tasker.release_steps(p_step uuid[], p_attempt int[], p_msg bigint[], p_ns text[], p_lost boolean[],
                                                p_losses_max int, p_processor uuid, p_given_back boolean DEFAULT false)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  x_step uuid[];  x_att int[];  x_msg bigint[];  x_ns text[];
  b_step uuid[];  b_msg bigint[];  b_ns text[];  b_turn timestamptz[];  b_timed boolean;
  v      record;
BEGIN
  PERFORM 1 FROM tasker.tasks t
    WHERE t.task_uuid = ANY (array(SELECT s.task_uuid FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = ANY (p_step)))
    ORDER BY t.task_uuid FOR NO KEY UPDATE;
  SELECT array_agg(s.workflow_step_uuid), array_agg(s.attempts), array_agg(s.msg_id), array_agg(t.namespace) INTO x_step, x_att, x_msg, x_ns
    FROM unnest(p_step, p_attempt, p_msg, p_lost) u(step, att, msg, lost)
    JOIN tasker.workflow_steps s ON s.workflow_step_uuid = u.step AND s.state = 'in_progress' AND s.attempts = u.att AND s.msg_id = u.msg
    JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
   WHERE u.lost AND (NOT s.retryable OR s.losses >= p_losses_max);
  IF x_step IS NOT NULL THEN
    RETURN QUERY SELECT r.* FROM tasker._fail_lost(x_step, x_att, x_msg, x_ns, p_processor) r;
  END IF;

  WITH upd AS (
    UPDATE tasker.workflow_steps s
       SET state = 'enqueued', forgiven = s.forgiven + 1, losses = s.losses + CASE WHEN u.lost THEN 1 ELSE 0 END, updated_at = v_now
      FROM unnest(p_step, p_attempt, p_msg, p_lost) u(step, att, msg, lost)
     WHERE s.workflow_step_uuid = u.step AND s.state = 'in_progress' AND s.attempts = u.att AND s.msg_id = u.msg
    RETURNING s.workflow_step_uuid, s.task_uuid, s.attempts, s.msg_id, s.queue_timeout_ms, u.lost
  ), tr AS (
    INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at, reason)
    SELECT workflow_step_uuid, task_uuid, 'in_progress', 'enqueued', attempts, v_now,
           CASE WHEN lost THEN 'worker lost' WHEN p_given_back THEN 'given back' ELSE 'never sent' END FROM upd
  )
  SELECT array_agg(x.workflow_step_uuid), array_agg(x.msg_id), array_agg(x.namespace), array_agg(x.turn), bool_or(x.timed)
    INTO b_step, b_msg, b_ns, b_turn, b_timed
    FROM (SELECT upd.workflow_step_uuid, upd.msg_id, t.namespace, upd.queue_timeout_ms IS NOT NULL AS timed,
                 tasker._turn(v_now, tasker._pace('aging', 60), tasker._pace('turn', 10), tasker._pace('turn_steps', 64), t.priority,
                              row_number() OVER (PARTITION BY t.task_uuid) - 1) AS turn
            FROM upd JOIN tasker.tasks t ON t.task_uuid = upd.task_uuid) x;
  FOR v IN SELECT b.ns, array_agg(b.msg) AS ids, array_agg(b.turn) AS turns FROM unnest(b_ns, b_msg, b_turn) b(ns, msg, turn) GROUP BY b.ns LOOP
    EXECUTE 'UPDATE ' || tasker._queue_table(v.ns) || ' q SET vt = u.turn FROM unnest($1, $2) u(id, turn) WHERE q.msg_id = u.id' USING v.ids, v.turns;
    RETURN NEXT tasker._row('queued', cardinality(v.ids), NULL, NULL, NULL, v.ns, NULL, NULL);
  END LOOP;
  IF b_timed THEN
    RETURN NEXT tasker._row('timer', NULL, NULL, NULL, NULL, NULL, NULL, tasker._watch_queue(b_step));
  END IF;
  RETURN QUERY SELECT (tasker._row('stale', u.idx::int, u.step, NULL, u.att, NULL, NULL, NULL)).*
    FROM unnest(p_step, p_attempt) WITH ORDINALITY u(step, att, idx)
   WHERE NOT u.step = ANY (coalesce(b_step, '{}') || coalesce(x_step, '{}'));
END $$;
