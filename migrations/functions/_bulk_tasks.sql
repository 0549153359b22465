-- tasker._bulk_tasks(tasks, status, namespace, versions, initiator, tag, correlation, created_after, created_before): those of these tasks that match every filter that is
-- not NULL. Asked twice: for what would be done, and under the lock of the tasks for what is.
CREATE OR REPLACE FUNCTION tasker._bulk_tasks(p_tasks uuid[], p_state text, p_ns text, p_versions uuid[], p_initiator text, p_tag text, p_correlation uuid,
                                              p_created_after timestamptz, p_created_before timestamptz) RETURNS uuid[]
LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(t.task_uuid ORDER BY t.task_uuid), '{}')
    FROM unnest(p_tasks) u(task) JOIN tasker.tasks t ON t.task_uuid = u.task
   WHERE tasker._matches(t, p_ns, p_state, p_initiator, NULL, p_versions, p_tag, p_correlation, NULL, p_created_after, p_created_before)
$$;
