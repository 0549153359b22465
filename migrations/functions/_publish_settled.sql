-- tasker._publish_settled(steps, how): the durable events of steps whose attempt was settled without a worker that could speak of it: it was lost, what it
-- said could not be carried out, nobody took the step, or a sub-task has ended that it waited for. how, per step: 'success', 'retryable_failure' or
-- 'permanent_failure'. The document is the one a worker makes when nobody supplies a payload; what text cannot hold is spelled out in it (_readable). It has at
-- most as many bytes as the session says (tasker.events_bytes_max), and first loses the results of earlier steps. One whose declaration has a schema waits until
-- an orchestrator has looked at it (take_events). To be called after the result is stored, in the same transaction.
-- Returns one 'published' row (attempt: how many), one 'unchecked' row when some wait for that look, and for each event that could not be published 'unpublished'
-- (task, step, namespace, step_name: the event, reason: too_large; invalid: jsonb does not take it). Writes: PGMQ, unchecked_events.
DROP FUNCTION IF EXISTS tasker._publish_settled(uuid[], text[]); -- its type when it told nothing
CREATE OR REPLACE FUNCTION tasker._publish_settled(p_step uuid[], p_how text[]) RETURNS SETOF tasker.engine_row
LANGUAGE plpgsql AS $$
DECLARE
  v_max   constant int := tasker._pace('events_bytes_max', 262144);
  v_at    constant text[] := '{payload,task_sequence_step,dependency_results}';
  v_now   text := tasker.time_text(clock_timestamp(), 'zoned');
  v       record;
  v_event jsonb;
  v_why   text;
  v_row   tasker.engine_row;
  e_task  uuid[] := '{}';  e_event jsonb[] := '{}';
  v_waits boolean := false;
BEGIN
  FOR v IN
    SELECT s.task_uuid, s.workflow_step_uuid, t.namespace, d.event ->> 'name' AS name, nullif(d.event -> 'schema', 'null') AS schema, r.too_large, r.doc IS NULL AS invalid, jsonb_build_object(
             'event_id', tasker._new_uuid(), 'event_name', d.event ->> 'name', 'event_version', '1.0',
             'payload', jsonb_build_object(
               'task_sequence_step', jsonb_build_object(
                 'task', jsonb_build_object('task', jsonb_build_object('task_uuid', t.task_uuid, 'named_task_uuid', t.named_task_uuid, 'complete', false,
                                                                       'requested_at', tasker.time_text(t.requested_at, 'zoned'), 'initiator', coalesce(t.initiator, ''),
                                                                       'source_system', coalesce(t.source_system, ''), 'reason', coalesce(t.reason, ''), 'priority', t.priority,
                                                                       'context', t.context, 'correlation_id', t.correlation_id,
                                                                       'parent_correlation_id', t.parent_correlation_id),
                                            'task_name', m.body ->> 'name', 'task_version', m.body ->> 'version', 'namespace_name', t.namespace),
                 'workflow_step', jsonb_build_object('workflow_step_uuid', s.workflow_step_uuid, 'task_uuid', s.task_uuid, 'name', s.name,
                                                     'template_step_name', m.body #>> ARRAY['steps', s.step_no::text, 'name'], 'in_process', true, 'processed', false,
                                                     'processed_at', NULL, 'results', NULL, 'retryable', s.retryable, 'max_attempts', s.max_attempts,
                                                     'attempts', s.attempts, 'inputs', s.inputs, 'checkpoint', s.checkpoint),
                 'dependency_results', tasker._ancestor_results(s.task_uuid, s.step_no, t.template_digest, v_max),
                 'step_definition', m.body -> 'steps' -> s.step_no::int),
               'execution_result', r.doc,
               'payload', CASE WHEN p.how = 'success' THEN r.doc -> 'result' ELSE
                          CASE jsonb_typeof(r.doc #> '{error,context}') WHEN 'object' THEN r.doc #> '{error,context}' ELSE '{}' END
                          || jsonb_build_object('error_type', r.doc #> '{error,error_type}',
                                                'error_code', coalesce(r.doc #>> '{metadata,error_code}', r.doc #>> '{error,error_type}'),
                                                'message', r.doc #> '{error,message}', 'error_message', r.doc #> '{error,message}',
                                                'retryable', coalesce(r.doc #> '{error,retryable}', 'false'), 'attempt', s.attempts, 'failed_at', v_now) END),
             'metadata', jsonb_build_object('task_uuid', s.task_uuid, 'step_uuid', s.workflow_step_uuid, 'step_name', s.name, 'namespace', t.namespace,
                                            'correlation_id', t.correlation_id, 'parent_correlation_id', t.parent_correlation_id, 'fired_at', v_now, 'fired_by', 'orchestrator',
                                            'condition', d.event ->> 'condition', 'attempt', s.attempts, 'worker_id', r.worker_id)) AS event
      FROM unnest(p_step, p_how) WITH ORDINALITY p(step, how, n)
      JOIN tasker.workflow_steps s ON s.workflow_step_uuid = p.step
      JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
      JOIN tasker.templates m ON m.digest = t.template_digest
     CROSS JOIN LATERAL (SELECT x.worker_id, x.bytes > v_max AS too_large, CASE WHEN x.bytes <= v_max THEN tasker._as_jsonb(x.result) END AS doc
                           FROM (SELECT sr.worker_id, sr.result, octet_length(sr.result::text) AS bytes FROM tasker.step_results sr
                                  WHERE sr.workflow_step_uuid = s.workflow_step_uuid AND sr.attempt = s.attempts AND sr.task_uuid = s.task_uuid
                                    AND m.body -> 'steps' -> s.step_no::int -> 'publishes_events' <> '[]' OFFSET 0) x) r -- most steps publish nothing
     CROSS JOIN LATERAL jsonb_array_elements(m.body -> 'steps' -> s.step_no::int -> 'publishes_events') WITH ORDINALITY d(event, n)
     WHERE d.event ->> 'delivery_mode' <> 'fast' AND (d.event ->> 'condition' IN (p.how, 'always') OR (d.event ->> 'condition' = 'failure' AND p.how <> 'success'))
     ORDER BY p.n, d.n
  LOOP
    v_event := v.event;
    IF octet_length(v_event::text) > v_max THEN
      v_event := jsonb_set(v_event, v_at, '{}');
    END IF;
    v_why := CASE WHEN v.too_large OR octet_length(v_event::text) > v_max THEN 'too_large' WHEN v.invalid THEN 'invalid' END;
    IF v_why IS NULL AND v.schema IS NOT NULL THEN
      INSERT INTO tasker.unchecked_events (task_uuid, schema, event) VALUES (v.task_uuid, v.schema, v_event);
      v_waits := true;
    ELSIF v_why IS NULL THEN
      e_task := e_task || v.task_uuid;
      e_event := e_event || v_event;
    ELSE
      v_row := tasker._row('unpublished', NULL, v.workflow_step_uuid, v.task_uuid, NULL, v.namespace, v.name, NULL);
      v_row.reason := v_why;
      RETURN NEXT v_row;
    END IF;
  END LOOP;
  IF e_task <> '{}' THEN
    PERFORM tasker._publish_events(e_task, e_event);
    RETURN NEXT tasker._row('published', NULL, NULL, NULL, cardinality(e_task), NULL, NULL, NULL);
  END IF;
  IF v_waits THEN
    RETURN NEXT tasker._row('unchecked', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
  END IF;
END $$;
