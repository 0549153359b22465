-- tasker.settle_publishing(as settle_steps, then events): settles results that bring durable domain events, and commits these with them.
-- Event i belongs to the result p_event_of[i] and is published when that result settled its attempt here and now, with the outcome its
-- condition names: 'success', 'failure', 'retryable_failure', 'permanent_failure' or 'always'. So every attempt publishes once, whoever
-- hands its result in, and however often. The results p_refused are errors of the orchestrator's making: it speaks for their workers.
-- Returns, locks and writes: as settle_steps, and PGMQ.
CREATE OR REPLACE FUNCTION tasker.settle_publishing(
  p_step uuid[], p_task uuid[], p_attempt int[], p_msg bigint[], p_success boolean[], p_retryable boolean[], p_delay_ms int[],
  p_result text[], p_worker text[], p_exec_ms int[], p_credit_ns text[], p_credit_n int[], p_lease_ms int, p_processor uuid,
  p_stages bigint[], p_event_of int[], p_event_when text[], p_event text[], p_refused int[])
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v       tasker.engine_row;
  v_how   text[] := array_fill(NULL::text, ARRAY[cardinality(p_step)]); -- per result: how its attempt ended; NULL: not by it
  v_task  uuid[];  v_event jsonb[];  v_step uuid[];
BEGIN
  FOR v IN SELECT * FROM tasker.settle_steps(p_step, p_task, p_attempt, p_msg, p_success, p_retryable, p_delay_ms, p_result, p_worker, p_exec_ms,
                                             p_credit_ns, p_credit_n, p_lease_ms, p_processor, p_stages) LOOP
    IF v.kind IN ('settled', 'retry', 'failed') THEN
      v_how[v.idx] := CASE WHEN p_success[v.idx] THEN 'success' WHEN v.kind = 'retry' THEN 'retryable_failure' ELSE 'permanent_failure' END;
    END IF;
    RETURN NEXT v;
  END LOOP;

  SELECT array_agg(p_task[e.idx] ORDER BY e.n), array_agg(e.event::jsonb ORDER BY e.n) INTO v_task, v_event
    FROM unnest(p_event_of, p_event_when, p_event) WITH ORDINALITY e(idx, cond, event, n)
   WHERE v_how[e.idx] IS NOT NULL
     AND (e.cond IN ('always', v_how[e.idx]) OR (e.cond = 'failure' AND v_how[e.idx] <> 'success'));
  IF v_event IS NOT NULL THEN
    PERFORM tasker._publish_events(v_task, v_event);
  END IF;
  SELECT array_agg(p_step[i]) INTO v_step FROM unnest(p_refused) i WHERE v_how[i] = 'permanent_failure';
  IF v_step IS NOT NULL THEN
    RETURN QUERY SELECT r.* FROM tasker._publish_failures(v_step) r;
  END IF;
END $$;
