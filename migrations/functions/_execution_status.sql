-- tasker._execution_status(total, done, failed, ready, in work): what the counts over a task's steps mean, by the first rule that
-- matches: an error blocks; ready steps; work in flight; all complete; else waiting. The one place of this rule. Pure, inlined.
CREATE OR REPLACE FUNCTION tasker._execution_status(p_total bigint, p_done bigint, p_failed bigint, p_ready bigint, p_working bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN p_failed > 0 THEN 'blocked_by_failures'
              WHEN p_ready > 0 THEN 'has_ready_steps'
              WHEN p_working > 0 THEN 'processing'
              WHEN p_total > 0 AND p_done = p_total THEN 'all_complete'
              ELSE 'waiting_for_dependencies' END
$$;
