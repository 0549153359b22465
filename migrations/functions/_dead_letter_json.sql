-- tasker._dead_letter_json(entry): an entry as the REST contract shows it; namespace_name, task_name and task_version (of its snapshot)
-- and revived are beyond the contract. Pure.
CREATE OR REPLACE FUNCTION tasker._dead_letter_json(p_entry tasker.dead_letters) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT json_build_object(
           'dlq_entry_uuid', p_entry.dlq_entry_uuid, 'task_uuid', p_entry.task_uuid, 'original_state', p_entry.original_state,
           'dlq_reason', tasker._pascal_case(p_entry.dlq_reason::text), 'dlq_timestamp', tasker.time_text(p_entry.dlq_timestamp, 'naive'),
           'resolution_status', tasker._pascal_case(p_entry.resolution_status::text),
           'resolution_timestamp', tasker.time_text(p_entry.resolution_timestamp, 'naive'),
           'resolution_notes', p_entry.resolution_notes, 'resolved_by', p_entry.resolved_by, 'task_snapshot', p_entry.task_snapshot,
           'metadata', p_entry.metadata, 'created_at', tasker.time_text(p_entry.created_at, 'naive'), 'updated_at', tasker.time_text(p_entry.updated_at, 'naive'),
           'namespace_name', p_entry.task_snapshot -> 'namespace', 'task_name', p_entry.task_snapshot -> 'task_name',
           'task_version', p_entry.task_snapshot -> 'task_version', 'revived', p_entry.revived)
$$;
