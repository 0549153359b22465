-- tasker._matches(task row, filters…): whether a task matches every filter that is not NULL; versions: uuids of named_tasks. A status is a task state, or one of the
-- contract's two words: 'completed' (complete) and 'pending' (not at an end). Inlined into the caller's statement.
CREATE OR REPLACE FUNCTION tasker._matches(t tasker.tasks, p_namespace text, p_status text, p_initiator text, p_source text, p_versions uuid[], p_tag text,
                                           p_correlation uuid, p_parent uuid, p_after timestamptz, p_before timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT (p_namespace IS NULL OR t.namespace = p_namespace)
     AND (p_initiator IS NULL OR t.initiator = p_initiator)
     AND (p_source IS NULL OR t.source_system = p_source)
     AND (p_versions IS NULL OR t.named_task_uuid = ANY (p_versions))
     AND (p_tag IS NULL OR t.tags @> to_jsonb(p_tag))
     AND (p_correlation IS NULL OR t.correlation_id = p_correlation)
     AND (p_parent IS NULL OR t.parent_correlation_id = p_parent)
     AND (p_after IS NULL OR t.created_at >= p_after)
     AND (p_before IS NULL OR t.created_at < p_before)
     AND (p_status IS NULL OR t.state::text = p_status
          OR (p_status = 'completed' AND t.state = 'complete')
          OR (p_status = 'pending' AND t.state NOT IN ('complete', 'error', 'cancelled', 'resolved_manually')))
$$;
