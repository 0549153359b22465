-- tasker.hold_tasks(tasks, bits, on, actor, reason, processor): pauses or resumes tasks. Who and why goes into the task's history, as a
-- transition from its state to the same one.
-- One that has ended cannot be paused, and nothing holds it, whatever did before: resuming it changes nothing (_reopen_task asks anew what holds it).
-- Returns per task (idx from 1) 'acted', 'unchanged', 'ended' (step_name = its state) or 'unknown', and what follows: 'queued', 'timer', 'done'.
-- Locks: the task rows, in uuid order.
CREATE OR REPLACE FUNCTION tasker.hold_tasks(p_tasks uuid[], p_bits int, p_on boolean, p_actor text, p_reason text, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v      record;
  v_kind text;
  v_bits constant int := CASE WHEN p_on THEN p_bits ELSE p_bits | ((p_bits & 1) << 4) END; -- what was set aside is resumed like what was paused
BEGIN
  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = ANY (p_tasks) ORDER BY t.task_uuid FOR NO KEY UPDATE;
  FOR v IN SELECT u.task, u.idx::int, t.state, t.held FROM unnest(p_tasks) WITH ORDINALITY u(task, idx) LEFT JOIN tasker.tasks t ON t.task_uuid = u.task LOOP
    v_kind := CASE WHEN v.state IS NULL THEN 'unknown' WHEN v.state IN ('complete', 'error', 'cancelled', 'resolved_manually') THEN CASE WHEN p_on THEN 'ended' ELSE 'unchanged' END
                   WHEN (v.held & p_bits <> 0) = p_on THEN 'unchanged' ELSE 'acted' END;
    RETURN NEXT tasker._row(v_kind, v.idx, NULL, v.task, NULL, NULL, v.state::text, NULL);
    CONTINUE WHEN v_kind <> 'acted';
    INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
    VALUES (v.task, v.state, v.state, clock_timestamp(), p_processor,
            jsonb_build_object('action', CASE WHEN p_on THEN 'pause' ELSE 'resume' END, 'actor', p_actor, 'reason', p_reason, 'held', p_bits));
    RETURN QUERY SELECT r.* FROM tasker._hold(v.task, v_bits, p_on, p_processor) r;
  END LOOP;
END $$;
