-- tasker._expire_tasks(tasks, now, processor): ends those whose deadline has passed, as their requests or else their templates say (on_timeout: error or cancel; without
-- it lifecycle.auto_fail_on_timeout: false means cancel, and nothing means error). With lifecycle.auto_dlq_on_timeout an error has an entry in the
-- dead-letter queue, of the task as it was.
-- Returns per task one 'timed_out' row (step_name: 'task'), perhaps a 'dead_letter', and what _end_task returns.
-- Locks: the caller holds the task rows. One that was reopened after its deadline has none any more: its due_at is NULL.
CREATE OR REPLACE FUNCTION tasker._expire_tasks(p_task uuid[], p_now timestamptz, p_processor uuid) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v record;
BEGIN
  FOR v IN
    SELECT t.task_uuid AS task, t.namespace AS ns,
           format('it was not complete by its deadline, %s', tasker.time_text(t.deadline, 'zoned')) AS reason,
           CASE WHEN coalesce(t.on_timeout, tp.body ->> 'on_timeout', CASE tp.body #>> '{lifecycle,auto_fail_on_timeout}' WHEN 'false' THEN 'cancel' END) = 'cancel'
                THEN 'cancelled'::tasker.task_state ELSE 'error' END AS becomes,
           coalesce(tp.body #>> '{lifecycle,auto_dlq_on_timeout}', 'false') = 'true' AS letter,
           jsonb_build_object('detection_method', 'deadline', 'actor', 'timer', 'deadline', tasker.time_text(t.deadline, 'zoned'), 'detected_by', p_processor,
                              'time_in_state_minutes', greatest(0, floor(extract(epoch FROM p_now - t.updated_at) / 60))::int) AS found
      FROM unnest(p_task) u(task)
      JOIN tasker.open_tasks o ON o.task_uuid = u.task AND o.due_at <= p_now
      JOIN tasker.tasks t ON t.task_uuid = u.task AND t.deadline <= p_now
      LEFT JOIN tasker.templates tp ON tp.digest = t.template_digest
     ORDER BY 1
  LOOP
    RETURN NEXT tasker._row('timed_out', NULL, NULL, v.task, NULL, v.ns, 'task', NULL);
    IF v.letter AND v.becomes = 'error' THEN
      RETURN QUERY SELECT r.* FROM tasker._dead_letters(ARRAY[v.task], ARRAY['staleness_timeout'::tasker.dlq_reason], ARRAY[v.found || jsonb_build_object('reason', v.reason)]) r;
    END IF;
    RETURN QUERY SELECT r.* FROM tasker._end_task(v.task, v.becomes, v.reason, p_processor) r;
  END LOOP;
END $$;
