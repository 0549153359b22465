-- tasker._publish_failures(steps): the durable events of steps that failed without a worker that could speak of it: it was lost, none took the step in time,
-- or what it said could not be carried out (_publish_settled). To be called after the step was settled, in the same transaction. Writes: PGMQ.
CREATE OR REPLACE FUNCTION tasker._publish_failures(p_step uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tasker._publish_settled(array_agg(s.workflow_step_uuid ORDER BY u.n),
                                  array_agg(CASE s.state WHEN 'waiting_for_retry' THEN 'retryable_failure' ELSE 'permanent_failure' END ORDER BY u.n))
    FROM unnest(p_step) WITH ORDINALITY u(step, n) JOIN tasker.workflow_steps s ON s.workflow_step_uuid = u.step;
END $$;
