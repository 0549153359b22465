-- tasker._bulk_tasks(tasks, status, namespace, versions, initiator, tag, correlation, created_after, created_before): those of these tasks that match every filter that is
-- not NULL. Asked twice: for what would be done, and under the lock of the tasks for what is.
CREATE OR REPLACE FUNCTION tasker._bulk_tasks(p_tasks uuid[], p_state text, p_ns text, p_versions uuid[], p_initiator text, p_tag text, p_correlation uuid,
                                              p_created_after timestamptz, p_created_before timestamptz) RETURNS uuid[]
LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(t.task_uuid ORDER BY t.task_uuid), '{}')
    FROM unnest(p_tasks) u(task) JOIN tasker.tasks t ON t.task_uuid = u.task
   WHERE (p_ns IS NULL OR t.namespace = p_ns) AND (p_versions IS NULL OR t.named_task_uuid = ANY (p_versions))
     AND (p_state IS NULL OR t.state::text = p_state OR (p_state = 'pending' AND t.state NOT IN ('complete', 'error', 'cancelled', 'resolved_manually')))
     AND (p_initiator IS NULL OR t.initiator = p_initiator) AND (p_tag IS NULL OR t.tags @> to_jsonb(p_tag)) AND (p_correlation IS NULL OR t.correlation_id = p_correlation)
     AND (p_created_after IS NULL OR t.created_at >= p_created_after) AND (p_created_before IS NULL OR t.created_at < p_created_before)
$$;
