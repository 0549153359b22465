-- tasker._publish_failures(steps): the durable events of steps that ended as errors without a worker that could speak of it (_publish_settled). Writes: PGMQ.
CREATE OR REPLACE FUNCTION tasker._publish_failures(p_step uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tasker._publish_settled(p_step, array_fill('permanent_failure'::text, ARRAY[cardinality(p_step)]));
END $$;
