-- tasker._bulk_look(status, namespace, versions, tag, correlation, created_after, created_before, after, limit): the tasks that one page of a decision about
-- many looks at, in uuid order after `after` (NULL: from the start), at most `limit`: those that have ended in error (status 'error'), complete ones (status
-- 'complete') or else open ones, as the narrowest filter lets them through (_next_tasks); what else is asked of a task says _bulk_tasks. Locks: none.
CREATE OR REPLACE FUNCTION tasker._bulk_look(p_state text, p_ns text, p_versions uuid[], p_tag text, p_correlation uuid, p_created_after timestamptz,
                                             p_created_before timestamptz, p_after uuid, p_limit int) RETURNS uuid[]
LANGUAGE sql STABLE AS $$
  SELECT tasker._next_tasks(p_ns, coalesce(p_state, 'pending'), p_versions, p_tag, p_correlation, NULL, p_created_after, p_created_before, p_after, true, p_limit)
$$;
