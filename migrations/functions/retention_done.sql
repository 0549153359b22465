-- tasker.retention_done(holder, namespace, after, tasks, steps, every_s): a batch is done, and what it deleted. after NULL: that namespace is; after the last one the run is over,
-- and the next due in every_s seconds. namespace NULL: there was none. Returns whether the run is over, and if so what it deleted in all and since when it ran.
-- No row: the turn had passed to somebody else, who goes on. Locks: the one row.
CREATE OR REPLACE FUNCTION tasker.retention_done(p_holder uuid, p_namespace text, p_after uuid, p_tasks bigint, p_steps bigint, p_every_s int)
RETURNS TABLE (is_over boolean, tasks bigint, steps bigint, seconds float8) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_next text := p_namespace;
BEGIN
  IF p_after IS NULL THEN
    v_next := (SELECT min(k.namespace COLLATE "C") FROM tasker.retention_keeps() k
                WHERE k.namespace <> '*' AND k.keep_days IS NOT NULL AND k.namespace COLLATE "C" > p_namespace COLLATE "C");
  END IF;
  RETURN QUERY
  UPDATE tasker.retention_run r
     SET namespace = v_next, after_uuid = p_after, tasks = r.tasks + p_tasks, steps = r.steps + p_steps,
         due_at = CASE WHEN v_next IS NULL THEN v_now + p_every_s * interval '1 second' ELSE r.due_at END,
         ended_at = CASE WHEN v_next IS NULL THEN v_now ELSE r.ended_at END,
         holder = CASE WHEN v_next IS NOT NULL THEN r.holder END, held_until = CASE WHEN v_next IS NOT NULL THEN r.held_until END
   WHERE r.holder = p_holder AND r.namespace IS NOT DISTINCT FROM p_namespace
  RETURNING r.namespace IS NULL, r.tasks, r.steps, extract(epoch FROM v_now - r.began_at)::float8;
END $$;
