-- tasker._isolated(instance, inputs): is this step one of a batch whose failure strategy is `isolate`? Then it goes on though another step of its
-- task has failed, and gives its place in the window away when it fails itself. The one place of this question. Pure, inlined; asked where something has failed.
CREATE OR REPLACE FUNCTION tasker._isolated(p_instance int, p_inputs json) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT p_instance > 0 AND coalesce(p_inputs #>> '{batch_metadata,failure_strategy}' = 'isolate', false)
$$;
