-- tasker._pace(setting, otherwise): a number, as the session has it in the setting tasker.<setting>; else `otherwise`. The orchestrator sets
-- tasker.aging, tasker.turn (seconds) and tasker.turn_steps when it connects (dispatch.aging …); people and tools have what is usual.
CREATE OR REPLACE FUNCTION tasker._pace(p_setting text, p_otherwise float8) RETURNS float8
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(nullif(current_setting('tasker.' || p_setting, true), '')::float8, p_otherwise)
$$;
