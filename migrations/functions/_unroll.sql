-- tasker._unroll(task): a task that had ended will change: what its stretch was added up to is forgotten, and it is done again later.
-- Not when tasks of the stretch were deleted meanwhile (delete_tasks): it could not be added up again, so this one stays counted as it ended before.
-- Whoever calls changes the task in the same transaction; roll_up waits for that to be over, and this for it. Locks: the caller holds the task row.
CREATE OR REPLACE FUNCTION tasker._unroll(p_task uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_stretch timestamptz := tasker._stretch(to_timestamp(('x' || left(replace(p_task::text, '-', ''), 12))::bit(48)::bigint / 1000.0));
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7286425031131);
  DELETE FROM tasker.rolled r WHERE r.stretch = v_stretch AND r.gone = 0;
  IF FOUND THEN
    UPDATE tasker.rolled_until SET until = least(until, v_stretch);
  END IF;
END $$;
