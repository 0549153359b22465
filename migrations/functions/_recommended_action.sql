-- tasker._recommended_action(execution status): what to do about it, in the words of the contract. Pure, inlined.
CREATE OR REPLACE FUNCTION tasker._recommended_action(p_status text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE p_status WHEN 'blocked_by_failures' THEN 'handle_failures' WHEN 'has_ready_steps' THEN 'execute_ready_steps'
                       WHEN 'processing' THEN 'wait_for_completion' WHEN 'all_complete' THEN 'finalize_task' ELSE 'wait_for_dependencies' END
$$;
