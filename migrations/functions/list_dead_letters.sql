-- tasker.list_dead_letters(status, reason, namespace, name, version, limit, offset): entries, newest first, as a JSON array of what _dead_letter_json
-- makes of each. Filters are NULL when absent. Locks: none. Planned anew for its filters, by a planner that may use everything.
CREATE OR REPLACE FUNCTION tasker.list_dead_letters(p_status text, p_reason text, p_ns text, p_name text, p_version text, p_limit int, p_offset int) RETURNS json
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET enable_seqscan = on AS $$
BEGIN
  RETURN (SELECT coalesce(json_agg(tasker._dead_letter_json(d) ORDER BY d.dlq_timestamp DESC, d.dlq_entry_uuid DESC), '[]'::json)
            FROM (SELECT x.* FROM tasker.dead_letters x
                   WHERE (p_status IS NULL OR x.resolution_status = p_status::tasker.dlq_resolution)
                     AND (p_reason IS NULL OR x.dlq_reason = p_reason::tasker.dlq_reason)
                     AND (p_ns IS NULL OR x.task_snapshot ->> 'namespace' = p_ns)
                     AND (p_name IS NULL OR x.task_snapshot ->> 'task_name' = p_name)
                     AND (p_version IS NULL OR x.task_snapshot ->> 'task_version' = p_version)
                   ORDER BY x.dlq_timestamp DESC, x.dlq_entry_uuid DESC LIMIT p_limit OFFSET p_offset) d);
END $$;
