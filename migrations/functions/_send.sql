-- tasker._send(namespace, steps, tasks, correlations, visible_at): one PGMQ message per step, in order; returns their ids.
-- Inserts the rows pgmq.send and pgmq.send_batch would, without their layers of functions; a single one as VALUES, which is planned in
-- half the time: the statement is made anew on every call, because its table is the namespace's.
CREATE OR REPLACE FUNCTION tasker._send(p_namespace text, p_step uuid[], p_task uuid[], p_correlation uuid[], p_visible timestamptz)
RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  v_table text := tasker._queue_table(p_namespace);
  v_id    bigint;
  v_ids   bigint[];
BEGIN
  IF cardinality(p_step) = 1 THEN
    EXECUTE 'INSERT INTO ' || v_table || ' (vt, message) VALUES ($1, $2) RETURNING msg_id'
      INTO v_id USING p_visible, jsonb_build_object('task_uuid', p_task[1], 'step_uuid', p_step[1], 'correlation_id', p_correlation[1]);
    RETURN ARRAY[v_id];
  END IF;
  EXECUTE 'WITH sent AS (INSERT INTO ' || v_table || $q$ (vt, message)
      SELECT $1, jsonb_build_object('task_uuid', u.t, 'step_uuid', u.s, 'correlation_id', u.c) FROM unnest($2, $3, $4) u(s, t, c)
      RETURNING msg_id) SELECT array_agg(msg_id ORDER BY msg_id) FROM sent$q$
    INTO v_ids USING p_visible, p_step, p_task, p_correlation;
  RETURN v_ids;
END $$;
