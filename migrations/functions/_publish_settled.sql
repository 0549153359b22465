-- tasker._publish_settled(steps, how): the durable events of steps whose attempt was settled without a worker that could speak of it: it was lost, what it
-- said could not be carried out, nobody took the step, or a sub-task has ended that it waited for. how, per step: 'success', 'retryable_failure' or
-- 'permanent_failure'. The payload is the one a worker makes when nobody supplies another; a schema is not looked at here. A result that jsonb does not
-- take is told by nobody. To be called after the result is stored, in the same transaction. Writes: PGMQ.
CREATE OR REPLACE FUNCTION tasker._publish_settled(p_step uuid[], p_how text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_now  text := tasker.time_text(clock_timestamp(), 'zoned');
  v_task uuid[];  v_event jsonb[];
BEGIN
  SELECT array_agg(s.task_uuid ORDER BY p.n, d.n),
         array_agg(jsonb_build_object(
           'event_id', gen_random_uuid(), 'event_name', d.event ->> 'name', 'event_version', '1.0',
           'payload', jsonb_build_object(
             'task_sequence_step', jsonb_build_object(
               'task', jsonb_build_object('task', jsonb_build_object('task_uuid', t.task_uuid, 'correlation_id', t.correlation_id,
                                                                     'parent_correlation_id', t.parent_correlation_id, 'context', t.context),
                                          'task_name', m.body ->> 'name', 'task_version', m.body ->> 'version', 'namespace_name', t.namespace),
               'workflow_step', jsonb_build_object('workflow_step_uuid', s.workflow_step_uuid, 'task_uuid', s.task_uuid, 'name', s.name,
                                                   'attempts', s.attempts, 'max_attempts', s.max_attempts, 'retryable', s.retryable),
               'dependency_results', '{}'::jsonb, 'step_definition', m.body -> 'steps' -> s.step_no::int),
             'execution_result', r.doc,
             'payload', CASE WHEN p.how = 'success' THEN r.doc -> 'result' ELSE
                        jsonb_build_object('error_type', r.doc #> '{error,error_type}', 'error_code', r.doc #> '{error,error_type}',
                                           'message', r.doc #> '{error,message}', 'error_message', r.doc #> '{error,message}',
                                           'retryable', p.how = 'retryable_failure', 'attempt', s.attempts, 'failed_at', v_now) END),
           'metadata', jsonb_build_object('task_uuid', s.task_uuid, 'step_uuid', s.workflow_step_uuid, 'step_name', s.name, 'namespace', t.namespace,
                                          'correlation_id', t.correlation_id, 'parent_correlation_id', t.parent_correlation_id, 'fired_at', v_now, 'fired_by', 'orchestrator',
                                          'condition', d.event ->> 'condition', 'attempt', s.attempts)) ORDER BY p.n, d.n)
    INTO v_task, v_event
    FROM unnest(p_step, p_how) WITH ORDINALITY p(step, how, n)
    JOIN tasker.workflow_steps s ON s.workflow_step_uuid = p.step
    JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
    JOIN tasker.templates m ON m.digest = t.template_digest
   CROSS JOIN LATERAL (SELECT tasker._as_jsonb(sr.result) AS doc FROM tasker.step_results sr
                        WHERE sr.workflow_step_uuid = s.workflow_step_uuid AND sr.attempt = s.attempts AND sr.task_uuid = s.task_uuid) r
   CROSS JOIN LATERAL jsonb_array_elements(m.body -> 'steps' -> s.step_no::int -> 'publishes_events') WITH ORDINALITY d(event, n)
   WHERE d.event ->> 'delivery_mode' <> 'fast' AND (d.event ->> 'condition' IN (p.how, 'always') OR (d.event ->> 'condition' = 'failure' AND p.how <> 'success'))
     AND r.doc IS NOT NULL;
  IF v_event IS NOT NULL THEN
    PERFORM tasker._publish_events(v_task, v_event);
  END IF;
END $$;
