-- tasker.start_tasks(tasks, actor, reason, processor): tasks whose run_at is to come start now, because somebody says so. A timeout counts from now on; a
-- deadline that was given stays. Who and why goes into the task's history. Held for another reason, it starts when that is gone.
-- Returns per task (idx from 1) 'acted', 'unchanged' (it does not wait for its start), 'ended' (step_name = its state) or 'unknown', and what follows: 'queued',
-- 'timer', 'done'.
-- Locks: the task rows, in uuid order.
CREATE OR REPLACE FUNCTION tasker.start_tasks(p_tasks uuid[], p_actor text, p_reason text, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v      record;
  v_now  timestamptz;
  v_due  timestamptz;
  v_kind text;
BEGIN
  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = ANY (p_tasks) ORDER BY t.task_uuid FOR NO KEY UPDATE;
  v_now := clock_timestamp();
  FOR v IN SELECT u.task, u.idx::int, t.state, t.held, t.run_at FROM unnest(p_tasks) WITH ORDINALITY u(task, idx) LEFT JOIN tasker.tasks t ON t.task_uuid = u.task LOOP
    v_kind := CASE WHEN v.state IS NULL THEN 'unknown' WHEN v.state IN ('complete', 'error', 'cancelled', 'resolved_manually') THEN 'ended'
                   WHEN v.held & 8 = 0 THEN 'unchanged' ELSE 'acted' END;
    RETURN NEXT tasker._row(v_kind, v.idx, NULL, v.task, NULL, NULL, v.state::text, NULL);
    CONTINUE WHEN v_kind <> 'acted';
    INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
    VALUES (v.task, v.state, v.state, v_now, p_processor,
            jsonb_build_object('action', 'start', 'actor', p_actor, 'reason', p_reason, 'held', 8, 'run_at', tasker.time_text(v.run_at, 'zoned')));
    UPDATE tasker.tasks t SET started_at = v_now, deadline = least(t.deadline, v_now + t.timeout_s * interval '1 second') WHERE t.task_uuid = v.task
    RETURNING t.deadline INTO v_due;
    UPDATE tasker.open_tasks o SET due_at = v_due WHERE o.task_uuid = v.task;
    IF v_due IS NOT NULL THEN
      RETURN NEXT tasker._row('timer', NULL, NULL, v.task, NULL, NULL, NULL, v_due);
    END IF;
    RETURN QUERY SELECT r.* FROM tasker._hold(v.task, 8, false, p_processor) r;
  END LOOP;
END $$;
