-- tasker.investigation_queue(limit, after, before, cursor): pending entries, the most urgent first: score = weight of the reason (cycle 1000, retries 500, staleness 100,
-- workers 50, by hand 10) + minutes in the queue. A JSON array, as the contract has it. The oldest `limit` of each reason are enough to know
-- the first `limit` of all, and an index has them. after and before: only those entered at or after, and before. cursor: only those behind that entry, which may
-- have been closed meanwhile; the minutes pass for all alike, so who is before whom never changes. NULL when there is no such entry. Locks: none.
DROP FUNCTION IF EXISTS tasker.investigation_queue(int); -- before it had times and cursors
CREATE OR REPLACE FUNCTION tasker.investigation_queue(p_limit int, p_after timestamptz, p_before timestamptz, p_cursor uuid) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_now  timestamptz := clock_timestamp();
  v_from timestamptz := '-infinity'; -- when an entry of weight 0 that is as urgent as the cursor's had been entered
BEGIN
  IF p_cursor IS NOT NULL THEN
    SELECT d.dlq_timestamp - tasker._dead_letter_weight(d.dlq_reason) * interval '1 minute' INTO v_from FROM tasker.dead_letters d WHERE d.dlq_entry_uuid = p_cursor;
    IF NOT FOUND THEN RETURN NULL; END IF;
  END IF;
  RETURN (SELECT coalesce(json_agg(json_build_object(
                   'dlq_entry_uuid', q.dlq_entry_uuid, 'task_uuid', q.task_uuid, 'original_state', q.original_state, 'dlq_reason', tasker._pascal_case(q.dlq_reason::text),
                   'dlq_timestamp', tasker.time_text(q.dlq_timestamp, 'naive'), 'minutes_in_dlq', round(q.minutes, 3), 'namespace_name', t.namespace,
                   'task_name', nt.name, 'current_state', t.state,
                   'time_in_state_minutes', greatest(0, floor(extract(epoch FROM v_now - coalesce(t.updated_at, t.created_at)) / 60))::int,
                   'priority_score', round(q.score, 3)) ORDER BY q.since, q.dlq_entry_uuid), '[]'::json)
            FROM (SELECT d.*, m.minutes, w.weight + m.minutes AS score, d.dlq_timestamp - w.late AS since
                    FROM (SELECT r.reason, n.weight, n.weight * interval '1 minute' AS late
                            FROM unnest(enum_range(NULL::tasker.dlq_reason)) r(reason), LATERAL (SELECT tasker._dead_letter_weight(r.reason) AS weight) n) w
                    CROSS JOIN LATERAL (SELECT x.* FROM tasker.dead_letters x
                                         WHERE x.resolution_status = 'pending' AND x.dlq_reason = w.reason
                                           AND (p_after IS NULL OR x.dlq_timestamp >= p_after) AND (p_before IS NULL OR x.dlq_timestamp < p_before)
                                           AND x.dlq_timestamp >= v_from + w.late
                                           AND (p_cursor IS NULL OR x.dlq_timestamp > v_from + w.late OR x.dlq_entry_uuid > p_cursor)
                                         ORDER BY x.dlq_timestamp, x.dlq_entry_uuid LIMIT p_limit) d
                    CROSS JOIN LATERAL (SELECT (extract(epoch FROM v_now - d.dlq_timestamp) / 60)::numeric AS minutes) m
                   ORDER BY since, d.dlq_entry_uuid LIMIT p_limit) q
            LEFT JOIN tasker.tasks t ON t.task_uuid = q.task_uuid
            LEFT JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid);
END $$;
