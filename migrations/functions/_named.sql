-- tasker._named(task): what the task's decisions have named, by the results that count; one that was complete and then resolved by somebody has named it all the same.
-- Reads: workflow_steps, templates, step_results. Locks: none of its own.
CREATE OR REPLACE FUNCTION tasker._named(p_task uuid) RETURNS TABLE (decision uuid, step uuid)
LANGUAGE sql STABLE AS $$
  SELECT d.workflow_step_uuid, s.workflow_step_uuid
    FROM tasker.tasks t
    JOIN tasker.template_steps ts ON ts.digest = t.template_digest AND ts.step_type = 'decision'
    JOIN tasker.workflow_steps d ON d.task_uuid = t.task_uuid AND d.step_no = ts.step_no AND d.state IN ('complete', 'resolved_manually')
    JOIN tasker.step_results r ON r.task_uuid = t.task_uuid AND r.workflow_step_uuid = d.workflow_step_uuid AND r.attempt = d.attempts AND r.attempt > d.results_after AND r.success
   CROSS JOIN LATERAL (SELECT tasker._readable(r.result) #> '{result,decision_point_outcome}' AS outcome) o
   CROSS JOIN LATERAL json_array_elements_text(CASE WHEN json_typeof(o.outcome -> 'step_names') = 'array' THEN o.outcome -> 'step_names' END) n(name)
    JOIN tasker.workflow_steps s ON s.task_uuid = t.task_uuid AND s.name = n.name
   WHERE t.task_uuid = p_task AND o.outcome ->> 'type' = 'create_steps'
$$;
