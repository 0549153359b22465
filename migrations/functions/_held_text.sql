-- tasker._held_text(bits): the reasons why a task is held, as a JSON array of words. Pure, inlined.
CREATE OR REPLACE FUNCTION tasker._held_text(p_held smallint) RETURNS json
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_to_json(array_remove(ARRAY[CASE WHEN p_held & 1 <> 0 THEN 'task' END, CASE WHEN p_held & 2 <> 0 THEN 'template' END,
                                          CASE WHEN p_held & 4 <> 0 THEN 'namespace' END, CASE WHEN p_held & 8 <> 0 THEN 'start' END], NULL))
$$;
