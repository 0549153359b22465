-- tasker._next_tasks(filters…, at, forward, n): the next n tasks after `at` (NULL: from the end it begins at), by id, that one of the filters lets through: the one which, seen from
-- here, lets the fewest through, so that who asks the others of each of them (_matches) looks at as few as possible. Fewer than n: there are no more.
--   Each filter that an index knows is a list of tasks in the order of their ids, and a place in it is found by key. So nothing depends on what the planner believes, on how
--   many tasks there are, or on how long ago the last one was that matches. Hence the comparing of whole keys, where an equality would leave it the choice of
--   another index; it ends where the key ends, not where the ids do, and what is beyond these is cut off.
-- No filter that an index knows: all tasks. Locks: none.
CREATE OR REPLACE FUNCTION tasker._next_tasks(p_namespace text, p_status text, p_versions uuid[], p_tag text, p_correlation uuid, p_parent uuid,
                                              p_after timestamptz, p_before timestamptz, p_at uuid, p_forward boolean, p_n int) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  c_versions_max constant int := 100; -- a page is merged from so many lists
  c_list    constant text := 'SELECT t.task_uuid FROM %1$s AND t.task_uuid > $7 AND t.task_uuid < $8 ORDER BY t.task_uuid %2$s LIMIT $9';
  c_keyed   constant text := 'SELECT y.task_uuid FROM unnest(%3$s) k(key), LATERAL (SELECT t.task_uuid FROM %1$s AND %4$s %5$s= k.key AND (%4$s, t.task_uuid) %6$s '
                             'ORDER BY %4$s %2$s, t.task_uuid %2$s LIMIT $9) y';
  v_ended   boolean := coalesce(p_status IN ('error', 'cancelled', 'resolved_manually'), false);
  v_open    boolean := coalesce(p_status NOT IN ('error', 'cancelled', 'resolved_manually', 'complete', 'completed'), false);
  v_version boolean := coalesce(cardinality(p_versions) <= c_versions_max, false);
  v_created uuid[] := tasker._created_ids(p_after, p_before);
  v_list    text;
  v_ids     uuid[];
  v_best    uuid[];
BEGIN
  IF p_status <> ALL (enum_range(NULL::tasker.task_state)::text[] || ARRAY['completed', 'pending']) THEN RETURN '{}'; END IF;
  FOR v_list IN
    SELECT format(CASE WHEN l.key IS NULL THEN c_list ELSE c_keyed END, l.source, CASE WHEN p_forward THEN 'ASC' ELSE 'DESC' END, l.keys, l.key,
                  CASE WHEN p_forward THEN '<' ELSE '>' END, CASE WHEN p_forward THEN '> (k.key, $7)' ELSE '< (k.key, $8)' END)
      FROM (VALUES
        (v_open, 'tasker.open_tasks t WHERE true', NULL, NULL),
        (v_ended, 'tasker.ended_otherwise t WHERE ' || CASE WHEN p_namespace IS NULL THEN 'true' ELSE 't.namespace = $1' END, 't.state', 'ARRAY[$2::tasker.task_state]'),
        (p_correlation IS NOT NULL, '(SELECT x.task_uuid FROM tasker.tasks x WHERE x.correlation_id = $5 OFFSET 0) t WHERE true', NULL, NULL),
        (p_parent IS NOT NULL, '(SELECT x.task_uuid FROM tasker.tasks x WHERE x.parent_correlation_id = $6 OFFSET 0) t WHERE true', NULL, NULL),
        (p_tag IS NOT NULL, 'tasker.task_tags t WHERE t.tag = $4', NULL, NULL),
        (v_version, 'tasker.tasks t WHERE true', 't.named_task_uuid', '$3'),
        (p_namespace IS NOT NULL AND NOT v_version, 'tasker.tasks t WHERE true', 't.namespace', 'ARRAY[$1]'),
        (NOT v_open AND NOT v_ended AND NOT v_version AND num_nonnulls(p_correlation, p_parent, p_tag, p_namespace) = 0, 'tasker.tasks t WHERE true', NULL, NULL)
      ) l(holds, source, key, keys)
     WHERE l.holds
  LOOP
    EXECUTE format('SELECT array(SELECT n.task_uuid FROM (%s) n WHERE n.task_uuid > $7 AND n.task_uuid < $8 ORDER BY n.task_uuid %s LIMIT $9)', v_list,
                   CASE WHEN p_forward THEN 'ASC' ELSE 'DESC' END)
      INTO v_ids USING p_namespace, p_status, p_versions, p_tag, p_correlation, p_parent,
                       greatest(v_created[1], CASE WHEN p_forward THEN p_at END), least(v_created[2], CASE WHEN NOT p_forward THEN p_at END), p_n;
    IF v_best IS NULL OR cardinality(v_ids) < cardinality(v_best)
       OR (cardinality(v_ids) = cardinality(v_best) AND (v_ids[p_n] > v_best[p_n]) = p_forward) THEN
      v_best := v_ids;
    END IF;
    EXIT WHEN v_best = '{}';
  END LOOP;
  RETURN v_best;
END $$;
