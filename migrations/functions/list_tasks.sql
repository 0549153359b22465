-- tasker.list_tasks(page, per_page, by_cursor, cursor, filters…): tasks, newest first, as the REST contract shows them. Filters are NULL when
-- absent (tasker._matches); name and version are those of a template.
--   by page: with the count of all that match, which has to look at all of them.
--   by cursor: those before the task `cursor` (NULL: from the newest), and the cursor of the next page.
--   by context: p_path is a JSON path; with p_value one of the values it finds must have this text, else it must find something. By cursor only. A path that is none: SQLSTATE 22023.
-- It goes through the tasks that the narrowest filter lets through, by index, bite by bite, and asks the other filters of each. By cursor it looks at no more than 100,000 tasks
-- (contexts: 10,000), for about half a second; the cursor says where it stopped, be the page full or not. Locks: none.
DROP FUNCTION IF EXISTS tasker.list_tasks(int, int, text, text, text, text); -- before it had cursors
DROP FUNCTION IF EXISTS tasker.list_tasks(int, int, boolean, uuid, text, text, text, text, text, text, text, uuid, timestamptz, timestamptz); -- nor contexts
DROP FUNCTION IF EXISTS tasker._matching_tasks(text, text, text, text, uuid[], text, uuid, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS tasker._matching_tasks(text, text, text, text, uuid[], text, uuid, uuid, timestamptz, timestamptz); -- what it went by
CREATE OR REPLACE FUNCTION tasker.list_tasks(p_page int, p_per_page int, p_by_cursor boolean, p_cursor uuid, p_namespace text, p_status text, p_initiator text,
                                             p_source text, p_name text, p_version text, p_tag text, p_correlation uuid, p_parent uuid,
                                             p_after timestamptz, p_before timestamptz, p_path text, p_value text) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
  c_bites    constant int := 50;
  v_bite_max int := CASE WHEN p_path IS NULL THEN 2000 ELSE 200 END;
  v_versions uuid[];
  v_limit    int := CASE WHEN p_by_cursor THEN p_per_page + 1 ELSE p_per_page END; -- one more tells whether there is a next page
  v_skip     bigint := CASE WHEN p_by_cursor THEN 0 ELSE (p_page::bigint - 1) * p_per_page END;
  v_total    bigint;
  v_n        int := least(v_limit, v_bite_max);
  v_at       uuid := p_cursor;
  v_bite     uuid[];
  v_hits     uuid[];
  v_found    uuid[] := '{}';
  v_looked   int := 0;
  v_all      boolean := false;
  v_next     uuid;
  v_path     jsonpath;
  v_tasks    json;
  v_started  timestamptz := clock_timestamp();
BEGIN
  IF p_path IS NOT NULL THEN
    BEGIN
      v_path := p_path::jsonpath;
    EXCEPTION WHEN OTHERS THEN
      RAISE EXCEPTION '%', SQLERRM USING ERRCODE = 'invalid_parameter_value';
    END;
  END IF;
  IF p_name IS NOT NULL OR p_version IS NOT NULL THEN
    v_versions := array(SELECT nt.named_task_uuid FROM tasker.named_tasks nt JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
                         WHERE (p_namespace IS NULL OR ns.name = p_namespace) AND (p_name IS NULL OR nt.name = p_name) AND (p_version IS NULL OR nt.version = p_version));
  END IF;
  IF NOT p_by_cursor THEN
    v_total := tasker._count_tasks(p_namespace, p_status, p_initiator, p_source, v_versions, p_tag, p_correlation, p_parent, p_after, p_before);
    v_all := v_skip >= v_total;
  END IF;
  WHILE NOT v_all AND cardinality(v_found) < v_limit
        AND (NOT p_by_cursor OR (v_looked < c_bites * v_bite_max AND clock_timestamp() - v_started < interval '500 milliseconds')) LOOP
    v_bite := tasker._next_tasks(p_namespace, p_status, v_versions, p_tag, p_correlation, p_parent, p_after, p_before, v_at, false, v_n);
    v_hits := array(
      SELECT t.task_uuid
        FROM unnest(v_bite) u(task), LATERAL (SELECT x.* FROM tasker.tasks x WHERE x.task_uuid = u.task OFFSET 0) t -- by key, never all tasks for each bite
       WHERE tasker._matches(t, p_namespace, p_status, p_initiator, p_source, v_versions, p_tag, p_correlation, p_parent, p_after, p_before)
         AND CASE WHEN p_path IS NULL THEN true WHEN p_value IS NULL THEN jsonb_path_exists(t.context, v_path, '{}', true)
                  ELSE EXISTS (SELECT FROM jsonb_path_query(t.context, v_path, '{}', true) x WHERE x #>> '{}' = p_value) END
       ORDER BY t.task_uuid DESC);
    v_found := v_found || v_hits[v_skip + 1 : v_skip + v_limit];
    v_skip := greatest(0, v_skip - cardinality(v_hits));
    v_looked := v_looked + cardinality(v_bite);
    v_all := cardinality(v_bite) < v_n;
    v_at := coalesce(v_bite[cardinality(v_bite)], v_at);
    v_n := least(4 * v_n, v_bite_max);
  END LOOP;
  SELECT coalesce(json_agg(r.body::json ORDER BY r.n), '[]'::json) INTO v_tasks FROM tasker.task_responses(v_found[1:p_per_page], false) r;
  IF p_by_cursor THEN
    v_next := CASE WHEN cardinality(v_found) > p_per_page THEN v_found[p_per_page] WHEN NOT v_all THEN v_at END;
    RETURN json_build_object('tasks', v_tasks, 'pagination', json_build_object(
      'per_page', p_per_page, 'has_next', v_next IS NOT NULL, 'has_previous', p_cursor IS NOT NULL, 'next_cursor', v_next));
  END IF;
  RETURN json_build_object('tasks', v_tasks, 'pagination', json_build_object(
    'page', p_page, 'per_page', p_per_page, 'total_count', v_total, 'total_pages', ceil(v_total::numeric / p_per_page)::bigint,
    'has_next', p_page::bigint * p_per_page < v_total, 'has_previous', p_page > 1));
END $$;
