-- tasker._ancestor_results(task, step number, template, bytes_max): the results of the step's complete ancestors, as its handler was given them (_assignments):
-- {step name: result}; {} when they are larger than bytes_max together, or jsonb does not take them. Locks: none.
CREATE OR REPLACE FUNCTION tasker._ancestor_results(p_task uuid, p_step_no int, p_digest text, p_bytes_max int) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_results text;
  v_bytes   bigint;
BEGIN
  SELECT '{' || string_agg(to_json(x.name)::text || ':' || x.result, ',' ORDER BY x.n, x.instance) FILTER (WHERE x.bytes <= p_bytes_max) || '}', max(x.bytes)
    INTO v_results, v_bytes
    FROM (SELECT u.n, a.name, a.instance, r.result, sum(octet_length(r.result)) OVER (ORDER BY u.n, a.instance) AS bytes
            FROM tasker.template_steps ts
           CROSS JOIN LATERAL unnest(ts.ancestors) WITH ORDINALITY u(step_no, n)
           CROSS JOIN LATERAL (SELECT w.name, w.instance, w.workflow_step_uuid, w.attempts FROM tasker.workflow_steps w
                                WHERE w.task_uuid = p_task AND w.step_no = u.step_no AND w.state = 'complete' OFFSET 0) a
           CROSS JOIN LATERAL (SELECT y.result::text AS result FROM tasker.step_results y
                                WHERE y.task_uuid = p_task AND y.workflow_step_uuid = a.workflow_step_uuid AND y.attempt = a.attempts AND y.success OFFSET 0) r
           WHERE ts.digest = p_digest AND ts.step_no = p_step_no) x;
  RETURN coalesce(CASE WHEN v_bytes <= p_bytes_max THEN tasker._as_jsonb(v_results::json) END, '{}');
END $$;
