-- tasker.sweep(idle_s, limit, after): the safety net. Looks at open tasks that nothing touched for idle_s seconds and sets going again
-- what no message, timer or lease would ever move. In a healthy system it finds nothing.
-- Looks at no more than `limit` tasks, oldest first, beginning after task `after` (NULL: from the start), so that tasks at rest for
-- long do not hide younger ones. Returns ('repaired', task, step, what) rows, and ('next', task) when there may be more after it.
-- Locks: one task row at a time, skipping those in use.
-- p_only: that task alone (sweep_apart). What was set aside is not looked at.
DROP FUNCTION IF EXISTS tasker.sweep(int, int);
DROP FUNCTION IF EXISTS tasker.sweep(int, int, uuid);
CREATE OR REPLACE FUNCTION tasker.sweep(p_idle_s int, p_limit int, p_after uuid, p_only uuid DEFAULT NULL) RETURNS TABLE (kind text, task_uuid uuid, step_uuid uuid, what text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_task  record;
  v_step  record;
  v_ready uuid[];
  v_seen  int := 0;
  v_last  uuid;
BEGIN
  FOR v_task IN
    SELECT t.task_uuid, t.namespace, t.correlation_id, o.related
      FROM tasker.open_tasks o JOIN tasker.tasks t ON t.task_uuid = o.task_uuid
     WHERE coalesce(t.updated_at, t.created_at) < clock_timestamp() - p_idle_s * interval '1 second'
       AND (p_after IS NULL OR o.task_uuid > p_after) AND (p_only IS NULL OR o.task_uuid = p_only) AND t.held & 16 = 0
     ORDER BY o.task_uuid LIMIT p_limit
  LOOP
    v_seen := v_seen + 1;
    v_last := v_task.task_uuid;
    PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = v_task.task_uuid FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND;
    v_ready := '{}';
    IF v_task.related THEN
      RETURN QUERY SELECT 'repaired', r.task_uuid, r.step_uuid, r.what FROM tasker._sweep_sub_tasks(v_task.task_uuid) r;
    END IF;
    FOR v_step IN
      SELECT s.workflow_step_uuid AS id, s.state, s.msg_id, s.unmet_parents, s.no_room, s.step_no, s.next_retry_at,
             t.held <> 0 OR (t.failed_steps > 0 AND NOT tasker._isolated(s.instance, s.inputs)) AS rests
        FROM tasker.workflow_steps s JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
       WHERE s.task_uuid = v_task.task_uuid AND s.state IN ('pending', 'enqueued', 'in_progress', 'waiting_for_retry')
       ORDER BY s.step_no, s.instance
    LOOP
      IF v_step.state IN ('enqueued', 'in_progress') AND NOT tasker._has_message(v_task.namespace, coalesce(v_step.msg_id, -1)) THEN
        UPDATE tasker.workflow_steps s
           SET msg_id = (tasker._send(v_task.namespace, ARRAY[v_step.id], ARRAY[v_task.task_uuid], ARRAY[v_task.correlation_id], clock_timestamp()))[1]
         WHERE s.workflow_step_uuid = v_step.id;
        RETURN QUERY SELECT 'repaired', v_task.task_uuid, v_step.id, v_step.state || ' without a message';
      ELSIF v_step.no_room AND NOT EXISTS (SELECT 1 FROM tasker.workflow_steps w WHERE w.task_uuid = v_task.task_uuid AND w.step_no = v_step.step_no
                                           AND NOT w.no_room AND w.state NOT IN ('complete', 'resolved_manually', 'cancelled')
                                           AND NOT (w.state = 'error' AND tasker._isolated(w.instance, w.inputs))) THEN
        UPDATE tasker.workflow_steps s SET no_room = false, unmet_parents = s.unmet_parents - 1 WHERE s.workflow_step_uuid = v_step.id;
        IF v_step.unmet_parents = 1 AND NOT v_step.rests THEN v_ready := v_ready || v_step.id; END IF;
        RETURN QUERY SELECT 'repaired', v_task.task_uuid, v_step.id, 'waits though its batch has room';
      ELSIF v_step.state = 'pending' AND v_step.unmet_parents = 0 AND NOT v_step.rests THEN
        v_ready := v_ready || v_step.id;
        RETURN QUERY SELECT 'repaired', v_task.task_uuid, v_step.id, 'ready and not dispatched';
      ELSIF v_step.state = 'waiting_for_retry' AND NOT v_step.rests
            AND NOT EXISTS (SELECT 1 FROM tasker.step_timers st WHERE st.workflow_step_uuid = v_step.id) THEN
        INSERT INTO tasker.step_timers (workflow_step_uuid, task_uuid, due_at) VALUES (v_step.id, v_task.task_uuid, coalesce(v_step.next_retry_at, clock_timestamp()));
        RETURN QUERY SELECT 'repaired', v_task.task_uuid, v_step.id, 'waiting for retry without a timer';
      END IF;
    END LOOP;
    IF cardinality(v_ready) > 0 THEN
      PERFORM tasker._dispatch(v_ready, '{}', '{}', 0);
      PERFORM tasker._advance_tasks(ARRAY[v_task.task_uuid], ARRAY[0], ARRAY[0], ARRAY[cardinality(v_ready)], ARRAY[0], NULL);
    END IF;
  END LOOP;
  IF v_seen = p_limit THEN RETURN QUERY SELECT 'next', v_last, NULL::uuid, NULL::text; END IF;
END $$;
