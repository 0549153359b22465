-- tasker._ancestor_results(task, step number, template, bytes_max): the results of the step's complete ancestors, as its handler was given them (_assignments):
-- {step name: result}; {} when they are larger than bytes_max together, or jsonb does not take them. Locks: none.
CREATE OR REPLACE FUNCTION tasker._ancestor_results(p_task uuid, p_step_no int, p_digest text, p_bytes_max int) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_results text;
BEGIN
  SELECT '{' || string_agg(to_json(a.name)::text || ':' || r.result::text, ',' ORDER BY u.n, a.instance) || '}' INTO v_results
    FROM tasker.template_steps ts
   CROSS JOIN LATERAL unnest(ts.ancestors) WITH ORDINALITY u(step_no, n)
   CROSS JOIN LATERAL (SELECT x.name, x.instance, x.workflow_step_uuid, x.attempts FROM tasker.workflow_steps x
                        WHERE x.task_uuid = p_task AND x.step_no = u.step_no AND x.state = 'complete' OFFSET 0) a
   CROSS JOIN LATERAL (SELECT y.result FROM tasker.step_results y
                        WHERE y.task_uuid = p_task AND y.workflow_step_uuid = a.workflow_step_uuid AND y.attempt = a.attempts AND y.success OFFSET 0) r
   WHERE ts.digest = p_digest AND ts.step_no = p_step_no;
  RETURN coalesce(CASE WHEN octet_length(v_results) <= p_bytes_max THEN tasker._as_jsonb(v_results::json) END, '{}');
END $$;
