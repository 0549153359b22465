-- tasker._task_state(open, failed, active, retry): the state of a task that was not ended by somebody's decision, derived
-- from its counters. The one place of this rule. Pure: constants of the enum, no cast from
-- text, or it would not be inlined (19 µs a call).
CREATE OR REPLACE FUNCTION tasker._task_state(p_open int, p_failed int, p_active int, p_retry int) RETURNS tasker.task_state
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN p_open = 0   THEN 'complete'::tasker.task_state
              WHEN p_failed > 0 THEN 'blocked_by_failures'::tasker.task_state
              WHEN p_active > 0 THEN 'steps_in_process'::tasker.task_state
              WHEN p_retry > 0  THEN 'waiting_for_retry'::tasker.task_state
              ELSE                   'waiting_for_dependencies'::tasker.task_state END
$$;
