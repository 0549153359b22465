-- tasker.checked_events(numbers, fit): publishes those of the taken events that fit, in their order, and forgets the others. Writes: unchecked_events, PGMQ.
CREATE OR REPLACE FUNCTION tasker.checked_events(p_no bigint[], p_fits boolean[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_task uuid[];  v_event jsonb[];
BEGIN
  WITH del AS (DELETE FROM tasker.unchecked_events u WHERE u.event_no = ANY (p_no) RETURNING u.event_no, u.task_uuid, u.event)
  SELECT array_agg(d.task_uuid ORDER BY d.event_no), array_agg(d.event ORDER BY d.event_no) INTO v_task, v_event
    FROM del d JOIN unnest(p_no, p_fits) c(event_no, fits) ON c.event_no = d.event_no AND c.fits;
  IF v_task IS NOT NULL THEN
    PERFORM tasker._publish_events(v_task, v_event);
  END IF;
END $$;
