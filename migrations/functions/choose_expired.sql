-- tasker.choose_expired(namespace, after, limit, steps): the next tasks of a namespace that its policy keeps no longer, locked for the caller's transaction, which exports
-- and deletes them. Looks at so many tasks with so many steps beyond `after` (at one at least) in uuid order, the order of creation: nothing else is created before.
-- Returns the tasks to delete, and one row with `looked`, where to go on, NULL at the end. The policy is read here: one that was changed holds at once.
-- Locks: roll_up's (reopening a task waits, for one batch), then task rows in uuid order; those that somebody else holds are left alone.
CREATE OR REPLACE FUNCTION tasker.choose_expired(p_namespace text, p_after uuid, p_limit int, p_steps bigint) RETURNS TABLE (task uuid, looked uuid)
LANGUAGE plpgsql AS $$
DECLARE
  v_before timestamptz;
  v_page   uuid[];
  v_held   uuid[];
BEGIN
  PERFORM pg_advisory_xact_lock(7286425031131);
  SELECT clock_timestamp() - make_interval(days => k.keep_days) INTO v_before FROM tasker.retention_keeps() k WHERE k.namespace = p_namespace;
  IF v_before IS NOT NULL THEN
    SELECT array_agg(x.task_uuid ORDER BY x.task_uuid) INTO v_page
      FROM (SELECT t.task_uuid, sum(t.total_steps) OVER (ORDER BY t.task_uuid) AS steps, row_number() OVER (ORDER BY t.task_uuid) AS n
              FROM (SELECT t.task_uuid, t.total_steps FROM tasker.tasks t
                     WHERE t.namespace = p_namespace AND t.task_uuid > coalesce(p_after, '00000000-0000-0000-0000-000000000000') AND t.task_uuid < tasker._uuid_at(v_before)
                     ORDER BY t.task_uuid LIMIT p_limit) t) x
     WHERE x.n = 1 OR x.steps <= p_steps;
  END IF;
  SELECT array_agg(l.task_uuid) INTO v_held
    FROM (SELECT t.task_uuid FROM tasker.tasks t
           WHERE t.task_uuid = ANY (v_page) AND t.state IN ('complete', 'error', 'cancelled', 'resolved_manually') AND coalesce(t.completed_at, t.updated_at) < v_before
           ORDER BY t.task_uuid FOR UPDATE SKIP LOCKED) l;
  -- A look of its own, now that nobody changes them.
  RETURN QUERY SELECT d.*, NULL::uuid FROM tasker._deletable(v_held) d ORDER BY 1;
  RETURN QUERY SELECT NULL::uuid, v_page[cardinality(v_page)];
END $$;
