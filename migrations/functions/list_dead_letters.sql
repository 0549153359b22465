-- tasker.list_dead_letters(status, reason, namespace, name, version, after, before, limit, offset, cursor): entries, newest first, as a JSON array of what
-- _dead_letter_json makes of each. Filters are NULL when absent; after and before: entered at or after, and before. cursor: only those that come behind that entry, itself
-- gone through all filters or not; NULL is returned when there is no such entry. Locks: none. Planned anew for its filters, by a planner that may use everything.
DROP FUNCTION IF EXISTS tasker.list_dead_letters(text, text, text, text, text, int, int); -- before it had times and cursors
CREATE OR REPLACE FUNCTION tasker.list_dead_letters(p_status text, p_reason text, p_ns text, p_name text, p_version text, p_after timestamptz, p_before timestamptz,
                                                    p_limit int, p_offset int, p_cursor uuid) RETURNS json
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET enable_seqscan = on AS $$
DECLARE
  v_at timestamptz := 'infinity'; -- those entered at the same time go by their id
BEGIN
  IF p_cursor IS NOT NULL THEN
    SELECT x.dlq_timestamp INTO v_at FROM tasker.dead_letters x WHERE x.dlq_entry_uuid = p_cursor;
    IF NOT FOUND THEN RETURN NULL; END IF;
  END IF;
  RETURN (SELECT coalesce(json_agg(tasker._dead_letter_json(d) ORDER BY d.dlq_timestamp DESC, d.dlq_entry_uuid DESC), '[]'::json)
            FROM (SELECT x.* FROM tasker.dead_letters x
                   WHERE (p_status IS NULL OR x.resolution_status = p_status::tasker.dlq_resolution)
                     AND (p_reason IS NULL OR x.dlq_reason = p_reason::tasker.dlq_reason)
                     AND (p_ns IS NULL OR x.task_snapshot ->> 'namespace' = p_ns)
                     AND (p_name IS NULL OR x.task_snapshot ->> 'task_name' = p_name)
                     AND (p_version IS NULL OR x.task_snapshot ->> 'task_version' = p_version)
                     AND (p_after IS NULL OR x.dlq_timestamp >= p_after)
                     AND (p_before IS NULL OR x.dlq_timestamp < p_before)
                     AND (p_cursor IS NULL OR (x.dlq_timestamp, x.dlq_entry_uuid) < (v_at, p_cursor))
                   ORDER BY x.dlq_timestamp DESC, x.dlq_entry_uuid DESC LIMIT p_limit OFFSET p_offset) d);
END $$;
