-- tasker.register_template(…): stores a template version. Outcomes: 'registered', 'unchanged' (same digest), 'replaced'
-- (other digest, p_replace), 'conflict' (other digest, nothing changed; digest is the stored one). Makes the namespace and
-- its queue, and the queue of its domain events with the first template that declares durable ones. p_steps, p_edges:
-- docs/design/database.md. Many may call at once: one advisory lock per namespace.
-- Writes: namespaces, templates, template_steps, template_edges, named_tasks, PGMQ (create).
CREATE OR REPLACE FUNCTION tasker.register_template(
  p_namespace text, p_name text, p_version text, p_description text, p_digest text, p_identity text, p_body jsonb,
  p_steps jsonb, p_edges jsonb, p_replace boolean)
RETURNS TABLE (outcome text, named_task_uuid uuid, digest text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_ns    uuid;
  v_uuid  uuid;
  v_old   text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('tasker.register/' || p_namespace, 0));
  SELECT nt.named_task_uuid, nt.digest INTO v_uuid, v_old
    FROM tasker.named_tasks nt JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
   WHERE ns.name = p_namespace AND nt.name = p_name AND nt.version = p_version;
  IF v_old = p_digest THEN
    RETURN QUERY SELECT 'unchanged', v_uuid, v_old; RETURN;
  ELSIF v_old IS NOT NULL AND NOT p_replace THEN
    RETURN QUERY SELECT 'conflict', v_uuid, v_old; RETURN;
  END IF;

  INSERT INTO tasker.namespaces (name) VALUES (p_namespace) ON CONFLICT (name) DO NOTHING;
  SELECT ns.namespace_uuid INTO v_ns FROM tasker.namespaces ns WHERE ns.name = p_namespace;
  IF NOT EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = tasker.queue_name(p_namespace)) THEN
    PERFORM pgmq.create(tasker.queue_name(p_namespace));
    PERFORM tasker._write_hand_on();
  END IF;
  IF jsonb_path_exists(p_body, '$.steps[*].publishes_events[*] ? (@.delivery_mode != "fast")') THEN
    PERFORM tasker._make_event_queue(p_namespace);
  END IF;

  INSERT INTO tasker.templates (digest, body, step_count) VALUES (p_digest, p_body, jsonb_array_length(p_steps))
  ON CONFLICT DO NOTHING;
  IF FOUND THEN
    INSERT INTO tasker.template_steps (digest, step_no, name, named_step_uuid, step_type, retryable, max_attempts, backoff,
                                       backoff_base_ms, backoff_max_ms, timeout_ms, parents, ancestors, ancestors_all, created_at_start, start_pos,
                                       on_timeout, queue_timeout_ms, on_queue_timeout)
    SELECT p_digest, x.step_no, x.name, x.named_step_uuid, x.step_type, x.retryable, x.max_attempts, x.backoff, x.backoff_base_ms,
           x.backoff_max_ms, x.timeout_ms, x.parents, x.ancestors, x.ancestors_all, x.at_start,
           CASE WHEN x.at_start THEN row_number() OVER (PARTITION BY x.at_start ORDER BY x.step_no) END, x.on_timeout, x.queue_timeout_ms, x.on_queue_timeout
      FROM jsonb_to_recordset(p_steps) x(step_no smallint, name text, named_step_uuid uuid, step_type text, retryable boolean,
             max_attempts smallint, backoff text, backoff_base_ms int, backoff_max_ms int, timeout_ms int, parents smallint,
             ancestors smallint[], ancestors_all int, at_start boolean, on_timeout text, queue_timeout_ms int, on_queue_timeout text);
    INSERT INTO tasker.template_edges (digest, from_no, to_no, from_pos, to_pos)
    SELECT p_digest, x.from_no, x.to_no, coalesce(CASE WHEN t.start_pos > 0 THEN f.start_pos END, 0), coalesce(CASE WHEN f.start_pos > 0 THEN t.start_pos END, 0)
      FROM jsonb_to_recordset(p_edges) x(from_no smallint, to_no smallint)
      LEFT JOIN tasker.template_steps f ON f.digest = p_digest AND f.step_no = x.from_no
      LEFT JOIN tasker.template_steps t ON t.digest = p_digest AND t.step_no = x.to_no;
  END IF;

  INSERT INTO tasker.named_tasks (namespace_uuid, name, version, description, digest, identity_strategy, timeout_s)
  VALUES (v_ns, p_name, p_version, p_description, p_digest, p_identity,
          coalesce((p_body ->> 'timeout_seconds')::int, (p_body #>> '{lifecycle,max_duration_minutes}')::int * 60))
  ON CONFLICT (namespace_uuid, name, version) DO UPDATE
    SET digest = excluded.digest, description = excluded.description, identity_strategy = excluded.identity_strategy, timeout_s = excluded.timeout_s,
        updated_at = clock_timestamp()
  RETURNING named_task_uuid INTO v_uuid;
  RETURN QUERY SELECT CASE WHEN v_old IS NULL THEN 'registered' ELSE 'replaced' END, v_uuid, p_digest;
END $$;
