-- tasker.investigation_queue(limit): pending entries, the most urgent first: score = weight of the reason (cycle 1000, retries 500, staleness 100,
-- workers 50, by hand 10) + minutes in the queue. A JSON array, as the contract has it. The oldest `limit` of each reason are enough to know
-- the first `limit` of all, and an index has them. Locks: none.
CREATE OR REPLACE FUNCTION tasker.investigation_queue(p_limit int) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE v_now timestamptz := clock_timestamp();
BEGIN
  RETURN (SELECT coalesce(json_agg(json_build_object(
                   'dlq_entry_uuid', q.dlq_entry_uuid, 'task_uuid', q.task_uuid, 'original_state', q.original_state, 'dlq_reason', tasker._pascal_case(q.dlq_reason::text),
                   'dlq_timestamp', tasker.time_text(q.dlq_timestamp, 'naive'), 'minutes_in_dlq', round(q.minutes, 3), 'namespace_name', t.namespace,
                   'task_name', nt.name, 'current_state', t.state,
                   'time_in_state_minutes', greatest(0, floor(extract(epoch FROM v_now - coalesce(t.updated_at, t.created_at)) / 60))::int,
                   'priority_score', round(q.score, 3)) ORDER BY q.score DESC, q.dlq_entry_uuid), '[]'::json)
            FROM (SELECT d.*, m.minutes, w.weight + m.minutes AS score
                    FROM (VALUES ('dependency_cycle_detected'::tasker.dlq_reason, 1000), ('max_retries_exceeded', 500), ('staleness_timeout', 100),
                                 ('worker_unavailable', 50), ('manual_dlq', 10)) w(reason, weight)
                    CROSS JOIN LATERAL (SELECT x.* FROM tasker.dead_letters x WHERE x.resolution_status = 'pending' AND x.dlq_reason = w.reason
                                         ORDER BY x.dlq_timestamp LIMIT p_limit) d
                    CROSS JOIN LATERAL (SELECT (extract(epoch FROM v_now - d.dlq_timestamp) / 60)::numeric AS minutes) m
                   ORDER BY score DESC, d.dlq_entry_uuid LIMIT p_limit) q
            LEFT JOIN tasker.tasks t ON t.task_uuid = q.task_uuid
            LEFT JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid);
END $$;
