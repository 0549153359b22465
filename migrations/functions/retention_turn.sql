-- tasker.retention_turn(holder, hold_s): whose turn it is to apply the policies: the holder's, for hold_s seconds, if a run is due or at work and nobody else has it.
-- Returns where to go on: the namespace and the task after which (NULL: from its beginning); no row: not now. Several orchestrators take turns only when
-- one dies: the next goes on behind what was deleted. Locks: the one row, waiting for nobody.
CREATE OR REPLACE FUNCTION tasker.retention_turn(p_holder uuid, p_hold_s int) RETURNS TABLE (namespace text, after_uuid uuid) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := clock_timestamp();
  v_run tasker.retention_run;
BEGIN
  -- First without a lock: nearly always there is nothing to do.
  PERFORM FROM tasker.retention_run r WHERE (r.namespace IS NOT NULL OR r.due_at <= v_now) AND (r.holder IS NOT DISTINCT FROM p_holder OR r.held_until IS NULL OR r.held_until <= v_now);
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO v_run FROM tasker.retention_run r
   WHERE (r.namespace IS NOT NULL OR r.due_at <= v_now) AND (r.holder IS NOT DISTINCT FROM p_holder OR r.held_until IS NULL OR r.held_until <= v_now)
     FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN; END IF;
  IF v_run.namespace IS NULL THEN
    v_run.namespace := (SELECT min(k.namespace COLLATE "C") FROM tasker.retention_keeps() k WHERE k.namespace <> '*' AND k.keep_days IS NOT NULL);
    UPDATE tasker.retention_run r SET began_at = v_now, tasks = 0, steps = 0, after_uuid = NULL, namespace = v_run.namespace;
  END IF;
  UPDATE tasker.retention_run r SET holder = p_holder, held_until = v_now + p_hold_s * interval '1 second';
  RETURN QUERY SELECT r.namespace, r.after_uuid FROM tasker.retention_run r; -- a namespace of NULL: nobody has a policy
END $$;
