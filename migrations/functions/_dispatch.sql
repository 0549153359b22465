-- tasker._dispatch(steps, credit…, lease_ms): hands ready steps on. As many of a namespace as its credit allows become
-- in_progress (attempt counted, message hidden for the lease) and come back as 'assign' rows; the others become enqueued
-- with a visible message that waits for its turn and come back as one 'queued' row per namespace (idx = how many). Both in the order
-- of turns (tasker._turn): of a task that has much at work or waiting, and of one of lower priority, others come first.
-- One 'timer' row (due_at: the earliest) when some of them may lie in the queue only so long.
-- Locks: the caller holds the task rows. Writes: workflow_steps (once per step), workflow_step_transitions, queue_timers, PGMQ.
CREATE OR REPLACE FUNCTION tasker._dispatch(p_step uuid[], p_credit_ns text[], p_credit_n int[], p_lease_ms int)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now    timestamptz := clock_timestamp();
  v_aging  float8 := tasker._pace('aging', 60);
  v_pace   float8 := tasker._pace('turn', 10);
  v_steps  float8 := tasker._pace('turn_steps', 64);
  v_step   uuid[];  v_at tid[];  v_task uuid[];  v_ns text[];  v_corr uuid[];  v_from tasker.step_state[];  v_eager boolean[];  v_turn timestamptz[];
  v_sorted uuid[];  -- the tasks, in uuid order
  v_msg    bigint[];
  v_names  text[];
  v_name   text;
  v_from_i int;
  v_to_i   int;
  v_timed  boolean; -- some are queued and may not lie there for ever
BEGIN
  IF coalesce(cardinality(p_step), 0) = 0 THEN RETURN; END IF;
  -- Sorted by namespace, eager before queued: every send below is a slice.
  SELECT array_agg(x.step ORDER BY x.namespace, x.rn), array_agg(x.at ORDER BY x.namespace, x.rn), array_agg(x.task_uuid ORDER BY x.namespace, x.rn),
         array_agg(x.namespace ORDER BY x.namespace, x.rn), array_agg(x.correlation_id ORDER BY x.namespace, x.rn),
         array_agg(x.state ORDER BY x.namespace, x.rn), array_agg(x.rn <= x.credit ORDER BY x.namespace, x.rn),
         array_agg(x.turn ORDER BY x.namespace, x.rn), array_agg(x.task_uuid ORDER BY x.task_uuid),
         bool_or(x.timed AND x.rn > x.credit)
    INTO v_step, v_at, v_task, v_ns, v_corr, v_from, v_eager, v_turn, v_sorted, v_timed
    FROM (SELECT r.*, row_number() OVER (PARTITION BY r.namespace ORDER BY r.turn, r.task_uuid, r.step_no, r.instance) AS rn,
                 coalesce((SELECT c.n FROM unnest(p_credit_ns, p_credit_n) c(ns, n) WHERE c.ns = r.namespace LIMIT 1), 0) AS credit
            FROM (SELECT u.step, s.at, s.task_uuid, s.step_no, s.instance, t.namespace, t.correlation_id, s.state, s.queue_timeout_ms IS NOT NULL AS timed,
                         -- active_steps may count these, or those that made them ready, or neither: what is surely ahead is the difference
                         tasker._turn(v_now, v_aging, v_pace, v_steps, t.priority, greatest(t.active_steps - count(*) OVER w, 0) + row_number() OVER w - 1) AS turn
                    FROM unnest(p_step) u(step)
                   CROSS JOIN LATERAL (SELECT w.ctid AS at, w.task_uuid, w.step_no, w.instance, w.state, w.queue_timeout_ms
                                         FROM tasker.workflow_steps w WHERE w.workflow_step_uuid = u.step OFFSET 0) s -- by key, whatever the statistics
                    JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
                  WINDOW w AS (PARTITION BY s.task_uuid ORDER BY s.step_no, s.instance ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) r) x;

  v_from_i := 1;
  WHILE v_from_i <= cardinality(v_step) LOOP
    v_to_i := v_from_i;
    WHILE v_to_i < cardinality(v_step) AND v_ns[v_to_i + 1] = v_ns[v_from_i] AND v_eager[v_to_i + 1] = v_eager[v_from_i] LOOP
      v_to_i := v_to_i + 1;
    END LOOP;
    IF v_eager[v_from_i] THEN
      v_msg := v_msg || tasker._hand_on_all(v_ns[v_from_i], NULL, v_now + p_lease_ms * interval '1 millisecond',
                                            v_step[v_from_i:v_to_i], v_task[v_from_i:v_to_i], v_corr[v_from_i:v_to_i]);
    ELSE
      v_msg := v_msg || tasker._enqueue(v_ns[v_from_i], v_step[v_from_i:v_to_i], v_task[v_from_i:v_to_i], v_corr[v_from_i:v_to_i], v_turn[v_from_i:v_to_i]);
      RETURN NEXT tasker._row('queued', v_to_i - v_from_i + 1, NULL, NULL, NULL, v_ns[v_from_i], NULL, NULL);
    END IF;
    v_from_i := v_to_i + 1;
  END LOOP;

  WITH upd AS (
    UPDATE tasker.workflow_steps s
       SET state = (CASE WHEN u.eager THEN 'in_progress' ELSE 'enqueued' END)::tasker.step_state,
           attempts = s.attempts + CASE WHEN u.eager THEN 1 ELSE 0 END,
           unmet_parents = 0, msg_id = u.msg, next_retry_at = NULL, updated_at = v_now,
           dispatched_at = CASE WHEN u.eager THEN v_now ELSE s.dispatched_at END
      FROM unnest(v_at, v_eager, v_msg, v_from) u(at, eager, msg, was)
     WHERE s.ctid = u.at
    RETURNING s.workflow_step_uuid, s.task_uuid, u.was, s.state, s.attempts
  )
  INSERT INTO tasker.workflow_step_transitions (workflow_step_uuid, task_uuid, from_state, to_state, attempt, at)
  SELECT workflow_step_uuid, task_uuid, was, state, attempts, v_now FROM upd;

  IF v_timed THEN
    RETURN NEXT tasker._row('timer', NULL, NULL, NULL, NULL, NULL, NULL, tasker._watch_queue(v_step));
  END IF;

  v_step := array(SELECT u.step FROM unnest(v_step, v_eager) u(step, eager) WHERE u.eager);
  RETURN QUERY SELECT a.* FROM tasker._assignments(v_step, v_sorted) a;
END $$;
