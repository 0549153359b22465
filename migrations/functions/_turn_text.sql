-- tasker._turn_text(namespace, vt, priority): what comes before a message that waits with this vt, for people: "its turn comes after 532 steps
-- of 14 tasks, 20 of them of higher priority". At most 1000 messages are looked at. NULL when it is the next.
CREATE OR REPLACE FUNCTION tasker._turn_text(p_ns text, p_vt timestamptz, p_priority int) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_most   constant int := 1000;
  v_steps  int;  v_tasks int;  v_higher int;
BEGIN
  EXECUTE 'SELECT count(*), count(DISTINCT s.task_uuid), count(*) FILTER (WHERE t.priority > $3)
             FROM (SELECT tasker._message_step(q.message) AS step FROM ' || tasker._queue_table(p_ns) || ' q WHERE q.vt < $1 ORDER BY q.vt DESC LIMIT $2) m
             JOIN tasker.workflow_steps s ON s.workflow_step_uuid = m.step
             JOIN tasker.tasks t ON t.task_uuid = s.task_uuid'
     INTO v_steps, v_tasks, v_higher USING p_vt, v_most, p_priority;
  RETURN CASE WHEN v_steps > 0 THEN
    format('its turn comes after %s%s %s of %s %s%s', CASE WHEN v_steps = v_most THEN 'at least ' ELSE '' END, v_steps, CASE v_steps WHEN 1 THEN 'step' ELSE 'steps' END,
           v_tasks, CASE v_tasks WHEN 1 THEN 'task' ELSE 'tasks' END,
           CASE v_higher WHEN 0 THEN '' ELSE format(', %s of them of higher priority', v_higher) END) END;
END $$;
