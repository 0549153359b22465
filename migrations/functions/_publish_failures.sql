-- tasker._publish_failures(steps): the durable events of steps that failed for good without a worker that could speak of it: it was lost, or what it said could
-- not be carried out. Returns and writes: as _publish_settled.
DROP FUNCTION IF EXISTS tasker._publish_failures(uuid[]); -- its type when it told nothing
CREATE OR REPLACE FUNCTION tasker._publish_failures(p_step uuid[]) RETURNS SETOF tasker.engine_row
LANGUAGE sql AS $$
  SELECT * FROM tasker._publish_settled(p_step, array_fill('permanent_failure'::text, ARRAY[cardinality(p_step)]))
$$;
