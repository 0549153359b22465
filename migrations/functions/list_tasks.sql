-- tasker.list_tasks(page, per_page, namespace, status, initiator, source_system): a page of tasks, newest first, with the count of
-- all that match, as the REST contract shows it. Filters are NULL when absent; status is a task state, or the contract's two
-- words 'completed' (complete) and 'pending' (not yet at an end). Locks: none.
-- Planned anew for its filters, by a planner that may use everything: it is the one read that is not by key.
CREATE OR REPLACE FUNCTION tasker.list_tasks(p_page int, p_per_page int, p_namespace text, p_status text, p_initiator text, p_source text) RETURNS json
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on AS $$
BEGIN
  RETURN (
    WITH matching AS (
      SELECT t.task_uuid
        FROM tasker.tasks t
       WHERE (p_namespace IS NULL OR t.namespace = p_namespace)
         AND (p_initiator IS NULL OR t.initiator = p_initiator)
         AND (p_source IS NULL OR t.source_system = p_source)
         AND (p_status IS NULL OR t.state::text = p_status
              OR (p_status = 'completed' AND t.state = 'complete')
              OR (p_status = 'pending' AND t.state NOT IN ('complete', 'error', 'cancelled', 'resolved_manually')))
    ), page AS (
      SELECT task_uuid FROM matching ORDER BY task_uuid DESC LIMIT p_per_page OFFSET (p_page::bigint - 1) * p_per_page
    ), total AS (
      SELECT count(*) AS n FROM matching
    )
    SELECT json_build_object(
             'tasks', coalesce((SELECT json_agg(r.body ORDER BY r.n) FROM tasker.task_responses(array(SELECT task_uuid FROM page ORDER BY task_uuid DESC), false) r), '[]'::json),
             'pagination', json_build_object(
               'page', p_page, 'per_page', p_per_page, 'total_count', total.n,
               'total_pages', ceil(total.n::numeric / p_per_page)::bigint,
               'has_next', p_page::bigint * p_per_page < total.n, 'has_previous', p_page > 1))
      FROM total);
END $$;
