-- tasker.detect_stale_tasks(limits, served, dry, move, fail, most, after, page, processor): one page of the search for tasks that stand still
-- (tasker._staleness says what that means): looks at `page` open tasks in uuid order after `after` (NULL: from the start) and does with at
-- most `most` stale ones what their template and the caller want: an entry in the dead-letter queue (move), an end as error (fail). A task
-- that no worker takes gets an entry and is left open: it goes on when one comes. One with a pending entry is under investigation already.
-- dry: only says which. Several orchestrators may look at once: a task that is locked is moving, and each is judged again under its lock.
-- p_only: that task alone (detect_apart). What was set aside is not judged.
-- Returns 'page' (idx = how many were looked at), 'next' (task_uuid: go on after it), per stale task 'detected' (task_uuid, namespace, step_name =
-- its state, idx = minutes, attempt = 1 when it is ended), and what follows: 'dead_letter', 'called_off', 'done'.
-- Locks: the stale tasks' rows in uuid order, skipping those in use. Writes: dead_letters, tasks, open_tasks, steps, history, PGMQ.
DROP FUNCTION IF EXISTS tasker.detect_stale_tasks(int[], text[], boolean, boolean, boolean, int, uuid, int, uuid);
CREATE OR REPLACE FUNCTION tasker.detect_stale_tasks(p_limits int[], p_served text[], p_dry boolean, p_move boolean, p_fail boolean, p_most int,
                                                     p_after uuid, p_page int, p_processor uuid, p_only uuid DEFAULT NULL)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_now   timestamptz := clock_timestamp();
  v_seen  uuid[];
  v_stale uuid[];
  v_fail  boolean;
  v_why   text;
  v_found jsonb;
  v       record;
BEGIN
  v_seen := array(SELECT o.task_uuid FROM tasker.open_tasks o WHERE o.task_uuid > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
                     AND (p_only IS NULL OR o.task_uuid = p_only) ORDER BY o.task_uuid LIMIT p_page);
  v_stale := array(SELECT s.task_uuid FROM tasker._staleness(array(SELECT t.task_uuid FROM tasker.tasks t WHERE t.task_uuid = ANY (v_seen) AND t.held & 16 = 0), p_limits, p_served) s
                    WHERE s.health = 'stale' AND s.action <> 'none'
                      AND NOT EXISTS (SELECT 1 FROM tasker.dead_letters d WHERE d.task_uuid = s.task_uuid AND d.resolution_status = 'pending')
                    ORDER BY s.task_uuid LIMIT p_most);
  RETURN NEXT tasker._row('page', cardinality(v_seen), NULL, NULL, NULL, NULL, NULL, NULL);
  IF cardinality(v_seen) = p_page -- nothing younger than a minute can be stale, and uuids are in order of time
     AND (SELECT o.created_at FROM tasker.open_tasks o WHERE o.task_uuid = v_seen[p_page]) < v_now - interval '1 minute' THEN
    RETURN NEXT tasker._row('next', NULL, NULL, v_seen[p_page], NULL, NULL, NULL, NULL);
  END IF;

  IF NOT p_dry AND v_stale <> '{}' THEN
    SELECT coalesce(array_agg(x.task_uuid), '{}') INTO v_stale
      FROM (SELECT t.task_uuid FROM tasker.tasks t WHERE t.task_uuid = ANY (v_stale) ORDER BY t.task_uuid FOR NO KEY UPDATE SKIP LOCKED) x;
  END IF;
  FOR v IN SELECT s.*, t.state IN ('complete', 'error', 'cancelled', 'resolved_manually') AS ended
             FROM tasker._staleness(v_stale, p_limits, p_served) s JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
            WHERE s.health = 'stale' ORDER BY s.task_uuid LOOP
    CONTINUE WHEN v.ended OR EXISTS (SELECT 1 FROM tasker.dead_letters d WHERE d.task_uuid = v.task_uuid AND d.resolution_status = 'pending');
    v_fail := p_fail AND NOT p_dry AND v.reason <> 'worker_unavailable';
    RETURN NEXT tasker._row('detected', v.minutes, NULL, v.task_uuid, v_fail::int, v.namespace, v.state::text, NULL);
    CONTINUE WHEN p_dry;
    v_why := CASE WHEN v.minutes >= v.threshold THEN format('stale: nothing of it moved for %s minutes (at most %s)', v.minutes, v.threshold)
                  ELSE format('stale: it was at work for more than %s minutes (staleness.lifetime)', p_limits[4]) END;
    v_found := jsonb_build_object('detection_method', 'automatic_staleness_detection', 'time_in_state_minutes', v.minutes, 'threshold_minutes', v.threshold,
                                  'task_age_minutes', v.age, 'staleness_action', v.action, 'detected_by', p_processor);
    IF p_move AND v.action = 'dlq' THEN
      RETURN QUERY SELECT r.* FROM tasker._dead_letters(ARRAY[v.task_uuid], ARRAY[v.reason], ARRAY[v_found]) r;
    END IF;
    CONTINUE WHEN NOT v_fail;
    RETURN QUERY SELECT (tasker._row('called_off', NULL, e.step_uuid, v.task_uuid, e.attempt, v.namespace, 'its task stands still', NULL)).*
                   FROM tasker._end_steps(v.task_uuid, 'tasker', v_why, true) e;
    UPDATE tasker.tasks t SET state = 'error', updated_at = clock_timestamp(), completed_at = clock_timestamp(), message = v_why WHERE t.task_uuid = v.task_uuid;
    PERFORM tasker._ended_otherwise(v.task_uuid);
    INSERT INTO tasker.task_transitions (task_uuid, from_state, to_state, at, processor_uuid, metadata)
    VALUES (v.task_uuid, v.state, 'error', clock_timestamp(), p_processor, v_found || jsonb_build_object('actor', 'tasker', 'reason', v_why));
    DELETE FROM tasker.open_tasks o WHERE o.task_uuid = v.task_uuid;
    RETURN NEXT tasker._row('done', NULL, NULL, v.task_uuid, NULL, NULL, 'error', NULL);
  END LOOP;
END $$;
