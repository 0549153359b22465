-- tasker.set_aside(task, step, what, sqlstate, message, processor): a task that made the statement `what` raise, alone, is taken out of the way of all others, by the first of
-- these that does not raise itself: its step (NULL: none of them is at fault by itself) becomes an error, which blocks the task as any error does; the task is paused
-- (_hold_aside); what is due of it is put off by an hour. A person sees why in its history, tasker explain and the dead-letter queue, and acts as ever.
-- Returns one 'set_aside' row (step_name: which of the three: step, task, later; reason: why), and what follows from it.
-- Locks: the task row. Writes: what _fail_step or _hold_aside do. Only ever called when something raised: a savepoint costs nothing then.
CREATE OR REPLACE FUNCTION tasker.set_aside(p_task uuid, p_step uuid, p_what text, p_state text, p_message text, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_why  text := format('the engine could not go on with it: %s: %s (SQLSTATE %s)', p_what, left(p_message, 500), p_state);
  v_ns   text;
  v_how  text;
  v_rows tasker.engine_row[];
  v_row  tasker.engine_row;
BEGIN
  SELECT t.namespace INTO v_ns FROM tasker.tasks t WHERE t.task_uuid = p_task FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  FOREACH v_how IN ARRAY CASE WHEN p_step IS NULL THEN ARRAY['task', 'later'] ELSE ARRAY['step', 'task', 'later'] END LOOP
    BEGIN
      CASE v_how
        WHEN 'step' THEN v_rows := array(SELECT r FROM tasker._fail_step(p_step, v_why, p_processor) r);
        WHEN 'task' THEN v_rows := array(SELECT r FROM tasker._hold_aside(p_task, p_step, v_why, p_processor) r);
        ELSE PERFORM tasker._put_off(p_task, interval '1 hour');
      END CASE;
      EXIT WHEN v_how = 'step' AND cardinality(v_rows) > 0 OR v_how = 'task' AND EXISTS (SELECT 1 FROM tasker.open_tasks o JOIN tasker.tasks t ON t.task_uuid = o.task_uuid
                                                                                         WHERE o.task_uuid = p_task AND t.held & 16 <> 0);
    EXCEPTION WHEN OTHERS THEN
      IF v_how = 'later' OR NOT tasker._at_fault(SQLSTATE) THEN RAISE; END IF;
    END;
  END LOOP;
  v_row := tasker._row('set_aside', NULL, p_step, p_task, NULL, v_ns, v_how, NULL);
  v_row.reason := v_why;
  RETURN NEXT v_row;
  RETURN QUERY SELECT r.* FROM unnest(v_rows) r;
END $$;
