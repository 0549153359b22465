-- tasker._add_tags(tasks, tags): notes, in task_tags, the tags of new tasks: for each a JSON array of strings. Locks: new rows only.
-- plpgsql, because it keeps its plan.
CREATE OR REPLACE FUNCTION tasker._add_tags(p_task uuid[], p_tags text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tasker.task_tags (tag, task_uuid)
  SELECT DISTINCT x.tag, u.task
    FROM unnest(p_task, p_tags) u(task, tags), jsonb_array_elements_text(u.tags::jsonb) x(tag);
END $$;
