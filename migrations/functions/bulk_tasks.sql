-- tasker.bulk_tasks(action, filters…, dry, actor, reason, data, after, limit, steps, processor): one page of a decision about many tasks: pause, resume, start, cancel; or for
-- each of their steps that is meant (_bulk_steps) reset, resolve, skip, complete (with data, as act_on_step takes it) or rerun (data: its new context, or NULL). Looks at `limit` tasks in uuid order
-- after `after` (NULL: from the start; _bulk_look says which) and acts on those that match every filter that is not NULL, and have such a step where it is about steps;
-- dry: only says which. A page ends after the task with which it has come to `steps` steps.
-- Each page is a transaction: whoever is interrupted goes on, and what was done already is left as it is.
-- Returns 'page' (idx = how many were looked at), per task 'matched' (task_uuid) and, when something was changed, 'changed' (task_uuid); per step that was, or would be, decided
-- 'step' (task_uuid, step_uuid); 'next' (task_uuid: go on after it) while there may be more; and what follows from each: 'called_off', 'relatives', 'queued', 'timer', 'done'.
-- Locks: the matching task rows, in uuid order.
DROP FUNCTION IF EXISTS tasker.bulk_tasks(text, text, text, text, text, text, text, uuid, boolean, text, text, uuid, int, uuid); -- before it knew steps
CREATE OR REPLACE FUNCTION tasker.bulk_tasks(p_action text, p_ns text, p_name text, p_version text, p_state text, p_initiator text, p_tag text, p_correlation uuid,
                                             p_created_after timestamptz, p_created_before timestamptz, p_step text, p_step_state text,
                                             p_dry boolean, p_actor text, p_reason text, p_data text, p_after uuid, p_limit int, p_steps int, p_processor uuid)
RETURNS SETOF tasker.engine_row LANGUAGE plpgsql AS $$
DECLARE
  v_steps    boolean := p_action IN ('reset', 'resolve', 'skip', 'complete', 'rerun');
  v_versions uuid[];
  v_seen     uuid[];
  v_task     uuid[];
  v_next     uuid;
  v_more     boolean;
  v          record;
  v_row      tasker.engine_row;
  v_last     uuid;
BEGIN
  IF p_name IS NOT NULL OR p_version IS NOT NULL THEN
    v_versions := array(SELECT nt.named_task_uuid FROM tasker.named_tasks nt JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
                         WHERE (p_ns IS NULL OR ns.name = p_ns) AND (p_name IS NULL OR nt.name = p_name) AND (p_version IS NULL OR nt.version = p_version));
  END IF;
  v_seen := tasker._bulk_look(p_state, p_ns, v_versions, p_tag, p_correlation, p_created_after, p_created_before, p_after, p_limit);
  v_next := v_seen[p_limit];
  v_task := tasker._bulk_tasks(v_seen, p_state, p_ns, v_versions, p_initiator, p_tag, p_correlation, p_created_after, p_created_before);
  IF v_steps OR p_step IS NOT NULL THEN
    SELECT coalesce(array_agg(c.task ORDER BY c.task) FILTER (WHERE c.before < p_steps), '{}'), bool_or(c.before >= p_steps) INTO v_task, v_more
      FROM (SELECT b.task, sum(count(*)) OVER (ORDER BY b.task) - count(*) AS before
              FROM tasker._bulk_steps(v_task, p_action, p_step, p_step_state, p_actor, p_reason) b GROUP BY b.task) c;
    IF v_more THEN
      v_next := v_task[cardinality(v_task)];
      v_seen := array(SELECT u.task FROM unnest(v_seen) u(task) WHERE u.task <= v_next);
    END IF;
  END IF;
  RETURN NEXT tasker._row('page', cardinality(v_seen), NULL, NULL, NULL, NULL, NULL, NULL);
  RETURN QUERY SELECT (tasker._row('matched', NULL, NULL, u.task, NULL, NULL, NULL, NULL)).* FROM unnest(v_task) u(task);
  IF v_next IS NOT NULL THEN
    RETURN NEXT tasker._row('next', NULL, NULL, v_next, NULL, NULL, NULL, NULL);
  END IF;
  IF p_dry THEN
    IF v_steps THEN
      RETURN QUERY SELECT (tasker._row('step', NULL, b.step, b.task, NULL, NULL, NULL, NULL)).*
                     FROM tasker._bulk_steps(v_task, p_action, p_step, p_step_state, p_actor, p_reason) b ORDER BY b.task, b.no, b.instance;
    END IF;
    RETURN;
  END IF;

  PERFORM 1 FROM tasker.tasks t WHERE t.task_uuid = ANY (v_task) ORDER BY t.task_uuid FOR NO KEY UPDATE;
  v_task := tasker._bulk_tasks(v_task, p_state, p_ns, v_versions, p_initiator, p_tag, p_correlation, p_created_after, p_created_before); -- as they are now
  IF p_action IN ('pause', 'resume') THEN
    FOR v_row IN SELECT r.* FROM tasker.hold_tasks(v_task, 1, p_action = 'pause', p_actor, p_reason, p_processor) r LOOP
      IF v_row.kind = 'acted' THEN v_row.kind := 'changed'; END IF;
      IF v_row.kind NOT IN ('unchanged', 'ended', 'unknown') THEN RETURN NEXT v_row; END IF;
    END LOOP;
  ELSIF p_action = 'start' THEN
    FOR v_row IN SELECT r.* FROM tasker.start_tasks(v_task, p_actor, p_reason, p_processor) r LOOP
      IF v_row.kind = 'acted' THEN v_row.kind := 'changed'; END IF;
      IF v_row.kind NOT IN ('unchanged', 'ended', 'unknown') THEN RETURN NEXT v_row; END IF;
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
  ELSE
    FOR v IN SELECT b.task, array_agg(b.step ORDER BY b.no, b.instance) AS steps
               FROM tasker._bulk_steps(v_task, p_action, p_step, p_step_state, p_actor, p_reason) b GROUP BY b.task ORDER BY b.task LOOP
      FOR v_row IN SELECT r.* FROM tasker._bulk_act(p_action, v.task, v.steps, p_actor, p_reason, p_data, p_processor) r LOOP
        IF v_row.kind = 'acted' THEN
          IF v.task IS DISTINCT FROM v_last THEN
            RETURN NEXT tasker._row('changed', NULL, NULL, v.task, NULL, NULL, NULL, NULL);
          END IF;
          v_last := v.task;
          v_row.kind := 'step';
        END IF;
        IF v_row.kind NOT IN ('unchanged', 'refused', 'ended', 'unknown', 'foreign') THEN RETURN NEXT v_row; END IF;
      END LOOP;
    END LOOP;
  END IF;
END $$;
