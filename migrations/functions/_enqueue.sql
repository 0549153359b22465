-- tasker._enqueue(namespace, steps, tasks, correlations, turns): one PGMQ message per step, in order, each visible and waiting for its
-- turn (tasker._turn); returns their ids. Otherwise as tasker._send.
CREATE OR REPLACE FUNCTION tasker._enqueue(p_namespace text, p_step uuid[], p_task uuid[], p_correlation uuid[], p_turn timestamptz[])
RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE v_ids bigint[];
BEGIN
  IF cardinality(p_step) = 1 THEN
    RETURN tasker._send(p_namespace, p_step, p_task, p_correlation, p_turn[1]);
  END IF;
  EXECUTE 'WITH sent AS (INSERT INTO ' || tasker._queue_table(p_namespace) || $q$ (vt, message)
      SELECT u.v, jsonb_build_object('task_uuid', u.t, 'step_uuid', u.s, 'correlation_id', u.c) FROM unnest($1, $2, $3, $4) u(v, s, t, c)
      RETURNING msg_id) SELECT array_agg(msg_id ORDER BY msg_id) FROM sent$q$
    INTO v_ids USING p_turn, p_step, p_task, p_correlation;
  RETURN v_ids;
END $$;
