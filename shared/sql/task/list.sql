-- A page of tasks, newest first. Filters are NULL when absent; status is a task state, or the contract's two words
-- 'completed' (complete) and 'pending' (not yet at an end).
-- in:  $1 int4 page, $2 int4 per_page, $3 text namespace, $4 text status, $5 text initiator, $6 text source_system
-- out: body json (1 row)
WITH matching AS (
  SELECT t.task_uuid
    FROM tasker.tasks t
   WHERE ($3::text IS NULL OR t.namespace = $3)
     AND ($5::text IS NULL OR t.initiator = $5)
     AND ($6::text IS NULL OR t.source_system = $6)
     AND ($4::text IS NULL OR t.state::text = $4
          OR ($4 = 'completed' AND t.state = 'complete')
          OR ($4 = 'pending' AND t.state NOT IN ('complete', 'error', 'cancelled', 'resolved_manually')))
), page AS (
  SELECT task_uuid FROM matching ORDER BY task_uuid DESC LIMIT $2 OFFSET ($1::bigint - 1) * $2
), total AS (
  SELECT count(*) AS n FROM matching
)
SELECT json_build_object(
         'tasks', coalesce((SELECT json_agg(tasker.task_response(p.task_uuid, false) ORDER BY p.task_uuid DESC) FROM page p), '[]'::json),
         'pagination', json_build_object(
           'page', $1, 'per_page', $2, 'total_count', total.n,
           'total_pages', ceil(total.n::numeric / $2)::bigint,
           'has_next', $1::bigint * $2 < total.n, 'has_previous', $1 > 1)) AS body
  FROM total;
