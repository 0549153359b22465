-- tasker.bulk_tasks(action, filters…, dry, actor, reason, after, limit, processor): one page of a decision about many open tasks: pause, resume, start,
-- cancel, or for every failed step reset (it runs again), resolve or skip (it is resolved by hand). Looks at `limit` open tasks in uuid order after `after` (NULL: from the start) and
-- acts on those that match every filter that is not NULL; dry: only says which. Each page is a transaction: whoever is interrupted goes on,
-- and what was done already is left as it is.
-- Returns 'page' (idx = how many were looked at), per task 'matched' (task_uuid) and, when something was changed, 'changed' (task_uuid); 'next' (task_uuid: go on
-- after it) while there may be more; and what follows from each: 'called_off', 'queued', 'timer', 'done'.
-- Locks: the matching task rows, in uuid order.
CREATE OR REPLACE FUNCTION tasker.bulk_tasks(p_action text, p_ns text, p_name text, p_version text, p_state text, p_initiator text, p_tag text,
                                             p_correlation uuid, p_dry boolean, p_actor text, p_reason text, p_after uuid, p_limit int, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_seen uuid[];
  v_task uuid[];
  v      record;
  v_last uuid;
BEGIN
  v_seen := array(SELECT o.task_uuid FROM tasker.open_tasks o WHERE p_after IS NULL OR o.task_uuid > p_after ORDER BY o.task_uuid LIMIT p_limit);
  v_task := array(SELECT t.task_uuid FROM unnest(v_seen) u(task) JOIN tasker.tasks t ON t.task_uuid = u.task
                    JOIN tasker.named_tasks nt ON nt.named_task_uuid = t.named_task_uuid
                   WHERE (p_ns IS NULL OR t.namespace = p_ns) AND (p_name IS NULL OR nt.name = p_name) AND (p_version IS NULL OR nt.version = p_version)
                     AND (p_state IS NULL OR t.state::text = p_state) AND (p_initiator IS NULL OR t.initiator = p_initiator)
                     AND (p_tag IS NULL OR t.tags @> to_jsonb(p_tag)) AND (p_correlation IS NULL OR t.correlation_id = p_correlation)
                   ORDER BY t.task_uuid);
  RETURN NEXT tasker._row('page', cardinality(v_seen), NULL, NULL, NULL, NULL, NULL, NULL);
  RETURN QUERY SELECT (tasker._row('matched', NULL, NULL, u.task, NULL, NULL, NULL, NULL)).* FROM unnest(v_task) u(task);
  IF cardinality(v_seen) = p_limit THEN
    RETURN NEXT tasker._row('next', NULL, NULL, v_seen[p_limit], NULL, NULL, NULL, NULL);
  END IF;
  IF p_dry THEN RETURN; END IF;

  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = ANY (v_task) ORDER BY t.task_uuid FOR NO KEY UPDATE;
  IF p_action IN ('pause', 'resume') THEN
    FOR v IN SELECT r.* FROM tasker.hold_tasks(v_task, 1, p_action = 'pause', p_actor, p_reason, p_processor) r LOOP
      IF v.kind = 'acted' THEN v.kind := 'changed'; END IF;
      IF v.kind NOT IN ('unchanged', 'ended', 'unknown') THEN RETURN NEXT v; END IF;
    END LOOP;
  ELSIF p_action = 'start' THEN
    FOR v IN SELECT r.* FROM tasker.start_tasks(v_task, p_actor, p_reason, p_processor) r LOOP
      IF v.kind = 'acted' THEN v.kind := 'changed'; END IF;
      IF v.kind NOT IN ('unchanged', 'ended', 'unknown') THEN RETURN NEXT v; END IF;
    END LOOP;
  ELSIF p_action = 'cancel' THEN
    FOR v IN SELECT u.task, c.* FROM unnest(v_task) u(task), LATERAL tasker.cancel_task(u.task, p_actor, p_reason, p_processor) c WHERE c.outcome = 'cancelled' LOOP
      IF v.step_uuid IS NULL THEN
        RETURN NEXT tasker._row('changed', NULL, NULL, v.task, NULL, NULL, NULL, NULL);
        RETURN NEXT tasker._row('done', NULL, NULL, v.task, NULL, NULL, 'cancelled', NULL);
      ELSE
        RETURN NEXT tasker._row('called_off', NULL, v.step_uuid, v.task, v.attempt, NULL, NULL, NULL);
      END IF;
    END LOOP;
  ELSIF p_action IN ('reset', 'resolve', 'skip') THEN
    FOR v IN SELECT s.task_uuid AS task, s.workflow_step_uuid AS step FROM tasker.workflow_steps s
              WHERE s.task_uuid = ANY (v_task) AND s.state = 'error' ORDER BY s.task_uuid, s.step_no LOOP
      IF v.task IS DISTINCT FROM v_last THEN
        RETURN NEXT tasker._row('changed', NULL, NULL, v.task, NULL, NULL, NULL, NULL);
      END IF;
      v_last := v.task;
      RETURN QUERY SELECT r.* FROM tasker.act_on_step(v.task, v.step, CASE p_action WHEN 'reset' THEN 'reset_for_retry' WHEN 'resolve' THEN 'resolve_manually' ELSE 'skip' END,
                                                      p_actor, p_reason, NULL, p_processor) r WHERE r.kind <> 'acted';
    END LOOP;
  END IF;
END $$;
