-- tasker._dead_letters(tasks, reasons, metadata): makes an entry in the dead-letter queue for each task that has none pending, with a
-- snapshot of the task as it is now: its figures and the steps that hold it up most, at most 50, with their errors.
-- metadata: what is known about each, stored as it is; its time_in_state_minutes and threshold_minutes are in the snapshot too.
-- Returns 'dead_letter' rows (step_uuid = the entry, task_uuid, namespace, step_name = the reason).
-- Locks: the caller holds the task rows. Writes: dead_letters.
CREATE OR REPLACE FUNCTION tasker._dead_letters(p_tasks uuid[], p_reasons tasker.dlq_reason[], p_metadata jsonb[]) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_now    timestamptz := clock_timestamp();
  v_listed constant int := 50;
  v_text   constant int := 500; -- of an error's message
BEGIN
  RETURN QUERY
  WITH ins AS (
    INSERT INTO tasker.dead_letters (dlq_entry_uuid, task_uuid, original_state, dlq_reason, dlq_timestamp, task_snapshot, metadata, created_at, updated_at)
    SELECT tasker._new_uuid(), t.task_uuid, t.state, u.reason, v_now, jsonb_build_object(
             'task_uuid', t.task_uuid, 'namespace', t.namespace, 'task_name', nt.name, 'task_version', nt.version, 'current_state', t.state,
             'time_in_state_minutes', u.metadata -> 'time_in_state_minutes', 'threshold_minutes', u.metadata -> 'threshold_minutes',
             'snapshot_timestamp', tasker.time_text(v_now, 'zoned'),
             'task_details', jsonb_build_object(
               'correlation_id', t.correlation_id, 'parent_correlation_id', t.parent_correlation_id, 'priority', t.priority,
               'requested_at', tasker.time_text(t.requested_at, 'naive'), 'created_at', tasker.time_text(t.created_at, 'naive'),
               'initiator', t.initiator, 'source_system', t.source_system, 'reason', t.reason, 'tags', t.tags, 'template_digest', t.template_digest,
               'generation', t.generation, 'total_steps', t.total_steps, 'open_steps', t.open_steps, 'failed_steps', t.failed_steps,
               'active_steps', t.active_steps, 'retry_steps', t.retry_steps),
             'steps', coalesce(x.steps, '[]')),
           u.metadata, v_now, v_now
      FROM unnest(p_tasks, p_reasons, p_metadata) u(task, reason, metadata)
      CROSS JOIN LATERAL (SELECT k.* FROM tasker.tasks k WHERE k.task_uuid = u.task OFFSET 0) t -- OFFSET 0: by key, whatever the statistics
      JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid
      CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object(
                 'step_uuid', s.workflow_step_uuid, 'name', s.name, 'state', s.state, 'attempts', s.attempts - s.forgiven, 'max_attempts', s.max_attempts,
                 'losses', s.losses, 'dispatched_at', tasker.time_text(s.dispatched_at, 'zoned'), 'next_retry_at', tasker.time_text(s.next_retry_at, 'zoned'),
                 'items_processed', s.checkpoint -> 'items_processed', 'error', left(s.error, v_text)) ORDER BY s.rank, s.step_no, s.instance) AS steps
          FROM (SELECT w.*, CASE WHEN w.last_failure_at IS NOT NULL THEN
                         (SELECT tasker._error_text(r.result) FROM tasker.step_results r
                           WHERE r.workflow_step_uuid = w.workflow_step_uuid AND r.task_uuid = t.task_uuid AND NOT r.success
                           ORDER BY r.attempt DESC LIMIT 1) END AS error
                  FROM (SELECT y.*, CASE y.state WHEN 'error' THEN 1 WHEN 'in_progress' THEN 2 WHEN 'enqueued' THEN 3 WHEN 'waiting_for_retry' THEN 4
                                                 WHEN 'pending' THEN 5 ELSE 6 END AS rank
                          FROM tasker.workflow_steps y WHERE y.task_uuid = t.task_uuid ORDER BY rank, y.step_no, y.instance LIMIT v_listed) w) s) x
    ON CONFLICT (task_uuid) WHERE resolution_status = 'pending' DO NOTHING
    RETURNING dlq_entry_uuid, task_uuid, dlq_reason)
  SELECT (tasker._row('dead_letter', NULL, ins.dlq_entry_uuid, ins.task_uuid, NULL, t.namespace, ins.dlq_reason::text, NULL)).*
    FROM ins CROSS JOIN LATERAL (SELECT k.namespace FROM tasker.tasks k WHERE k.task_uuid = ins.task_uuid OFFSET 0) t;
END $$;
