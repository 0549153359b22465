-- tasker.get_step_readiness_status(task, steps): one row per step (of those named, or all) with everything readiness is made
-- of, derived from the graph itself and not from the counters: this is what the counters are checked against. The rule is in _step_readiness.
-- Locks: none. Cost: the task's steps and edges.
CREATE OR REPLACE FUNCTION tasker.get_step_readiness_status(p_task uuid, p_steps uuid[] DEFAULT NULL)
RETURNS TABLE (workflow_step_uuid uuid, task_uuid uuid, named_step_uuid uuid, name text, current_state text, total_parents int,
               completed_parents int, dependencies_satisfied boolean, attempts int, max_attempts int, retry_eligible boolean,
               last_failure_at timestamptz, next_retry_at timestamptz, backoff_request_seconds int, last_attempted_at timestamptz,
               ready_for_execution boolean)
LANGUAGE sql STABLE AS $$
  SELECT r.workflow_step_uuid, r.task_uuid, r.named_step_uuid, r.name, r.state::text, r.total_parents, r.completed_parents,
         r.completed_parents = r.total_parents, r.counted, r.max_attempts, r.eligible, r.last_failure_at, r.next_retry_at, r.backoff_s,
         r.dispatched_at, r.ready
    FROM tasker._step_readiness(p_task, p_steps) r
$$;
