-- tasker._send(namespace, steps, tasks, correlations, visible_at): one PGMQ message per step, in order; returns their ids.
-- plpgsql, because it keeps its plan: as a plain SQL function it was planned anew on every call.
CREATE OR REPLACE FUNCTION tasker._send(p_namespace text, p_step uuid[], p_task uuid[], p_correlation uuid[], p_visible timestamptz)
RETURNS bigint[] LANGUAGE plpgsql AS $$
BEGIN
  RETURN array(SELECT pgmq.send_batch(tasker.queue_name(p_namespace),
    array(SELECT jsonb_build_object('task_uuid', u.t, 'step_uuid', u.s, 'correlation_id', u.c)
            FROM unnest(p_step, p_task, p_correlation) WITH ORDINALITY u(s, t, c, n) ORDER BY u.n), p_visible));
END $$;
