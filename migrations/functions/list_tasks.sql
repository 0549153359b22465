-- tasker.list_tasks(page, per_page, by_cursor, cursor, filters…): tasks, newest first, as the REST contract shows them. Filters are NULL when
-- absent (tasker._matching_tasks); name and version are those of a template.
--   by page: with the count of all that match, which has to look at all of them.
--   by cursor: those before the task `cursor` (NULL: from the newest), and the cursor of the next page; looks at no more than it must.
--   by context: p_path is a JSON path; with p_value one of the values it finds must have this text, else it must find something. By cursor only, because
--   no index knows: a request looks at the contexts of at most 10,000 tasks that match everything else, for about half a second, and the cursor
--   says where it stopped, be the page full or not. A path that is none: SQLSTATE 22023.
--   Neither does an index know initiators and source systems; by cursor they are looked for in the same way, in at most 100,000 tasks, unless a state makes them few.
-- Open tasks are looked for among the open ones (open_tasks), those that ended otherwise than complete among these (ended_otherwise), whatever else there is. Locks: none.
-- Planned anew for its filters, by a planner that may use everything: it is the one read that is not by key.
DROP FUNCTION IF EXISTS tasker.list_tasks(int, int, text, text, text, text); -- before it had cursors
DROP FUNCTION IF EXISTS tasker.list_tasks(int, int, boolean, uuid, text, text, text, text, text, text, text, uuid, timestamptz, timestamptz); -- nor contexts
CREATE OR REPLACE FUNCTION tasker.list_tasks(p_page int, p_per_page int, p_by_cursor boolean, p_cursor uuid, p_namespace text, p_status text, p_initiator text,
                                             p_source text, p_name text, p_version text, p_tag text, p_correlation uuid, p_parent uuid,
                                             p_after timestamptz, p_before timestamptz, p_path text, p_value text) RETURNS json
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on AS $$
DECLARE
  v_open     boolean := coalesce(p_status IN ('pending', 'initializing', 'enqueuing_steps', 'steps_in_process', 'evaluating_results', 'waiting_for_dependencies',
                                              'waiting_for_retry', 'blocked_by_failures'), false);
  v_ended    tasker.task_state := CASE WHEN p_status IN ('error', 'cancelled', 'resolved_manually') THEN p_status END;
  v_unknown  boolean := p_path IS NOT NULL OR (p_by_cursor AND NOT v_open AND v_ended IS NULL AND (p_initiator IS NOT NULL OR p_source IS NOT NULL)); -- to an index
  v_bite     int := CASE WHEN p_path IS NULL THEN 2000 ELSE 200 END;
  v_versions uuid[];
  v_limit    int := CASE WHEN p_by_cursor THEN p_per_page + 1 ELSE p_per_page END; -- one more tells whether there is a next page
  v_offset   bigint := CASE WHEN p_by_cursor THEN 0 ELSE (p_page::bigint - 1) * p_per_page END;
  v_page     uuid[];
  v_total    bigint;
  v_tasks    json;
  v_found    uuid[] := '{}';
  v_looked   int := 0;
  v_next     uuid := p_cursor;
  v_path     jsonpath;
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
  IF v_unknown THEN
    LOOP
      v_page := array(SELECT m.task FROM tasker._matching_tasks(p_namespace, p_status, NULL, NULL, v_versions, p_tag, p_correlation, p_parent, p_after, p_before) m(task)
                       WHERE (v_next IS NULL OR m.task < v_next) AND (NOT v_open OR EXISTS (SELECT FROM tasker.open_tasks o WHERE o.task_uuid = m.task))
                         AND (v_ended IS NULL OR EXISTS (SELECT FROM tasker.ended_otherwise e WHERE e.state = v_ended AND e.task_uuid = m.task AND (p_namespace IS NULL OR e.namespace = p_namespace)))
                       ORDER BY m.task DESC LIMIT v_bite);
      v_found := v_found || array(
        SELECT t.task_uuid FROM unnest(v_page) u(task), LATERAL (SELECT x.* FROM tasker.tasks x WHERE x.task_uuid = u.task OFFSET 0) t -- by key, never all tasks for each bite
         WHERE (p_initiator IS NULL OR t.initiator = p_initiator) AND (p_source IS NULL OR t.source_system = p_source)
           AND CASE WHEN p_path IS NULL THEN true WHEN p_value IS NULL THEN jsonb_path_exists(t.context, v_path, '{}', true)
                    ELSE EXISTS (SELECT FROM jsonb_path_query(t.context, v_path, '{}', true) x WHERE x #>> '{}' = p_value) END
         ORDER BY t.task_uuid DESC);
      v_looked := v_looked + cardinality(v_page);
      v_next := v_page[cardinality(v_page)]; -- NULL: that was all
      EXIT WHEN cardinality(v_page) < v_bite OR cardinality(v_found) > p_per_page OR v_looked >= 50 * v_bite
             OR clock_timestamp() - v_started > interval '500 milliseconds';
    END LOOP;
    IF cardinality(v_page) < v_bite THEN v_next := NULL; END IF;
    IF cardinality(v_found) > p_per_page THEN v_next := v_found[p_per_page]; END IF;
    SELECT coalesce(json_agg(r.body::json ORDER BY r.n), '[]'::json) INTO v_tasks FROM tasker.task_responses(v_found[1:p_per_page], false) r;
    RETURN json_build_object('tasks', v_tasks, 'pagination', json_build_object(
      'per_page', p_per_page, 'has_next', v_next IS NOT NULL, 'has_previous', p_cursor IS NOT NULL, 'next_cursor', v_next));
  END IF;
  IF v_open THEN
    v_page := array(SELECT m.task FROM tasker._matching_tasks(p_namespace, p_status, p_initiator, p_source, v_versions, p_tag, p_correlation, p_parent, p_after, p_before) m(task)
                      JOIN tasker.open_tasks o ON o.task_uuid = m.task
                     WHERE p_cursor IS NULL OR m.task < p_cursor ORDER BY m.task DESC LIMIT v_limit OFFSET v_offset);
  ELSIF v_ended IS NOT NULL THEN
    v_page := array(SELECT e.task_uuid FROM tasker._matching_tasks(p_namespace, p_status, p_initiator, p_source, v_versions, p_tag, p_correlation, p_parent, p_after, p_before) m(task)
                      JOIN tasker.ended_otherwise e ON e.task_uuid = m.task AND e.state = v_ended AND (p_namespace IS NULL OR e.namespace = p_namespace)
                     WHERE p_cursor IS NULL OR e.task_uuid < p_cursor ORDER BY e.task_uuid DESC LIMIT v_limit OFFSET v_offset);
  ELSE
    v_page := array(SELECT m.task FROM tasker._matching_tasks(p_namespace, p_status, p_initiator, p_source, v_versions, p_tag, p_correlation, p_parent, p_after, p_before) m(task)
                     WHERE p_cursor IS NULL OR m.task < p_cursor ORDER BY m.task DESC LIMIT v_limit OFFSET v_offset);
  END IF;
  SELECT coalesce(json_agg(r.body::json ORDER BY r.n), '[]'::json) INTO v_tasks FROM tasker.task_responses(v_page[1:p_per_page], false) r;
  IF p_by_cursor THEN
    RETURN json_build_object('tasks', v_tasks, 'pagination', json_build_object(
      'per_page', p_per_page, 'has_next', cardinality(v_page) > p_per_page, 'has_previous', p_cursor IS NOT NULL,
      'next_cursor', CASE WHEN cardinality(v_page) > p_per_page THEN v_page[p_per_page] END));
  END IF;

  IF v_open THEN
    SELECT count(*) INTO v_total FROM tasker._matching_tasks(p_namespace, p_status, p_initiator, p_source, v_versions, p_tag, p_correlation, p_parent, p_after, p_before) m(task)
      JOIN tasker.open_tasks o ON o.task_uuid = m.task;
  ELSE
    SELECT count(*) INTO v_total FROM tasker._matching_tasks(p_namespace, p_status, p_initiator, p_source, v_versions, p_tag, p_correlation, p_parent, p_after, p_before);
  END IF;
  RETURN json_build_object('tasks', v_tasks, 'pagination', json_build_object(
    'page', p_page, 'per_page', p_per_page, 'total_count', v_total, 'total_pages', ceil(v_total::numeric / p_per_page)::bigint,
    'has_next', p_page::bigint * p_per_page < v_total, 'has_previous', p_page > 1));
END $$;
