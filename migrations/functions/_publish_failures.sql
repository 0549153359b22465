-- tasker._publish_failures(steps): the durable events of steps that failed for good without a worker that could speak of it: it was lost, or what it said could
-- not be carried out (_publish_settled). To be called after the step was settled, in the same transaction. Writes: PGMQ.
CREATE OR REPLACE FUNCTION tasker._publish_failures(p_step uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tasker._publish_settled(p_step, array_fill('permanent_failure'::text, ARRAY[cardinality(p_step)]));
END $$;
