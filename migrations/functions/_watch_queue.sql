-- tasker._watch_queue(steps): sets the timers of those that are enqueued now and may lie in the queue only so long. Returns the earliest.
-- Locks: the caller holds the task rows. Writes: queue_timers.
CREATE OR REPLACE FUNCTION tasker._watch_queue(p_step uuid[]) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
  v_due timestamptz;
BEGIN
  WITH ins AS (
    INSERT INTO tasker.queue_timers AS q (workflow_step_uuid, task_uuid, due_at)
    SELECT s.workflow_step_uuid, s.task_uuid, s.updated_at + s.queue_timeout_ms * interval '1 millisecond'
      FROM unnest(p_step) u(step) JOIN tasker.workflow_steps s ON s.workflow_step_uuid = u.step
     WHERE s.state = 'enqueued' AND s.queue_timeout_ms IS NOT NULL
    ON CONFLICT (workflow_step_uuid) DO UPDATE SET due_at = excluded.due_at
    RETURNING q.due_at)
  SELECT min(ins.due_at) INTO v_due FROM ins;
  RETURN v_due;
END $$;
