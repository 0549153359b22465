-- tasker.fetch_results(task, names, after_no, after_instance): the stored results of complete steps of a task, in order of step number and
-- instance. A name is that of a step or of a batch_worker of the template, which stands for all its instances. At most 1000 results and
-- about 8 MB, but one always; who wants more asks again after the last one (-1, 0: from the start). Of a batch that goes on without those
-- that failed, their last results too.
DROP FUNCTION IF EXISTS tasker.fetch_results(uuid, text[]);
CREATE OR REPLACE FUNCTION tasker.fetch_results(p_task uuid, p_names text[], p_after_no int, p_after_instance int)
RETURNS TABLE (step_name text, result text, step_no int, instance int) LANGUAGE sql STABLE AS $$
  SELECT x.name, x.result, x.no, x.instance
    FROM (SELECT p.*, sum(octet_length(p.result)) OVER (ORDER BY p.no, p.instance) - octet_length(p.result) AS before
            FROM (SELECT s.name, r.result::text AS result, s.step_no::int AS no, s.instance
                    FROM tasker.tasks t
                    JOIN tasker.workflow_steps s ON s.task_uuid = t.task_uuid AND s.state = 'complete'
                    JOIN tasker.template_steps ts ON ts.digest = t.template_digest AND ts.step_no = s.step_no
                    JOIN tasker.step_results r ON r.task_uuid = p_task AND r.workflow_step_uuid = s.workflow_step_uuid AND r.attempt = s.attempts
                   WHERE t.task_uuid = p_task AND (s.name = ANY (p_names) OR ts.name = ANY (p_names))
                     AND (s.step_no, s.instance) > (p_after_no, p_after_instance)
                   ORDER BY s.step_no, s.instance LIMIT 1000) p) x
   WHERE x.before < 8000000 ORDER BY x.no, x.instance
$$;
