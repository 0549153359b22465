-- tasker.explain_task(task, namespaces, workers, credits, limits): why a task is where it is, for people. The arrays say of each namespace how
-- many workers are connected and how many steps they would take now; limits: of _staleness, NULL: nothing is said of it. NULL for an unknown task.
--   {task_uuid, status, namespace, workers, credit, run_at, deadline, summary, advice, dead_letter: {dlq_entry_uuid, reason, since, text} or null
--   (its pending entry), again: who runs it again from where, staleness: of _staleness_json, steps: [{name, state, why, since, until}]}; steps that are over are left out, and of more
--   than 200 those that hold it up least.
-- Reads: the task, its steps, edges and newest results, and the messages of its steps. Locks: none.
DROP FUNCTION IF EXISTS tasker.explain_task(uuid, text[], int[], int[]); -- before it told of staleness
CREATE OR REPLACE FUNCTION tasker.explain_task(p_task uuid, p_ns text[], p_workers int[], p_credit int[], p_limits int[] DEFAULT NULL) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_now     timestamptz := clock_timestamp();
  v_task    tasker.tasks;
  v_workers int;
  v_credit  int;
  v_leases  jsonb := '{}';
  v_named   constant int := 5;   -- parents a step is said to wait for by name
  v_listed  constant int := 200; -- steps in the answer, those that hold it up most
  v_steps   json;
  v_worst   text;  -- state of the step that holds the task up most
  v_name    text;
  v_why     text;
  v_held    text;  -- who holds it, and why
  v_next    bigint; -- the message of its step whose turn comes first
  v_turn    text;   -- and what comes before it
  v_letter  tasker.dead_letters;
  v_stopped text;   -- of a task that ended in error: what it ended at, as a command that goes on there
BEGIN
  SELECT * INTO v_task FROM tasker.tasks t WHERE t.task_uuid = p_task;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT coalesce(sum(c.workers), 0), coalesce(sum(c.credit), 0) INTO v_workers, v_credit
    FROM unnest(p_ns, p_workers, p_credit) c(ns, workers, credit) WHERE c.ns = v_task.namespace;
  IF EXISTS (SELECT 1 FROM pgmq.meta m WHERE m.queue_name = tasker.queue_name(v_task.namespace)) THEN
    EXECUTE format('SELECT coalesce(jsonb_object_agg(q.msg_id, q.vt), ''{}'') FROM pgmq.%I q WHERE q.msg_id = ANY ($1)',
                   pgmq.format_table_name(tasker.queue_name(v_task.namespace), 'q'))
      INTO v_leases USING array(SELECT s.msg_id FROM tasker.workflow_steps s WHERE s.task_uuid = p_task AND s.msg_id IS NOT NULL);
  END IF;

  IF v_workers > 0 AND v_credit = 0 THEN
    SELECT s.msg_id INTO v_next FROM tasker.workflow_steps s WHERE s.task_uuid = p_task AND s.state = 'enqueued' ORDER BY v_leases ->> s.msg_id::text LIMIT 1;
    IF v_next IS NOT NULL THEN
      v_turn := concat_ws('; ', tasker._turn_text(v_task.namespace, (v_leases ->> v_next::text)::timestamptz, v_task.priority),
                                (SELECT format('its namespace has a weight of %s', ns.weight) FROM tasker.namespaces ns WHERE ns.name = v_task.namespace AND ns.weight <> 1));
    END IF;
  END IF;

  SELECT * INTO v_letter FROM tasker.dead_letters d WHERE d.task_uuid = p_task AND d.resolution_status = 'pending';
  IF v_task.held & 7 <> 0 THEN
    v_held := coalesce((SELECT format('paused by %s: %s', h.metadata ->> 'actor', h.metadata ->> 'reason') FROM tasker.task_transitions h
                         WHERE h.task_uuid = p_task AND h.metadata ->> 'action' = 'pause' AND (h.metadata ->> 'held')::int & v_task.held <> 0 ORDER BY h.at DESC LIMIT 1),
                       (SELECT CASE WHEN v_task.held & 2 <> 0 THEN 'its template is paused' || coalesce(' by ' || nt.paused_by || ': ' || nt.paused_reason, '')
                                    ELSE 'its namespace is paused' || coalesce(' by ' || ns.paused_by || ': ' || ns.paused_reason, '') END
                          FROM tasker.named_tasks nt JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
                         WHERE nt.named_task_uuid = v_task.named_task_uuid));
  END IF;
  IF v_task.held & 8 <> 0 THEN
    v_held := concat_ws('; ', v_held, format('it starts at %s (run_at)', tasker.time_text(v_task.run_at, 'zoned')));
  END IF;

  IF v_task.state = 'error' THEN
    SELECT format('tasker step reset %s %s', p_task, s.name) INTO v_stopped
      FROM tasker.workflow_steps s WHERE s.task_uuid = p_task AND s.state IN ('error', 'cancelled') ORDER BY s.state <> 'error', s.step_no, s.instance LIMIT 1;
  END IF;

  WITH step AS (
    SELECT s.step_no, s.instance, s.name, s.state, s.no_room, s.unmet_parents, s.msg_id, s.checkpoint ->> 'items_processed' AS items, s.attempts - s.forgiven AS counted, greatest(s.max_attempts, 1) AS max_attempts, s.losses, s.dispatched_at, s.updated_at, s.next_retry_at,
           tasker._isolated(s.instance, s.inputs) AS isolated,
           (v_leases ->> s.msg_id::text)::timestamptz AS message_at, ts.timeout_ms, coalesce(ts.on_timeout, 'retry') AS on_timeout,
           coalesce(ts.on_queue_timeout, 'error') AS on_queue_timeout,
           (SELECT q.due_at FROM tasker.queue_timers q WHERE q.workflow_step_uuid = s.workflow_step_uuid) AS queue_until,
           (SELECT string_agg(w.name || ' (' || w.state || ')', ', ' ORDER BY w.step_no, w.instance)
                   || CASE WHEN max(w.all_n) > v_named THEN format(' and %s more', max(w.all_n) - v_named) ELSE '' END
              FROM (SELECT p.name, p.state, p.step_no, p.instance, count(*) OVER () AS all_n
                      FROM tasker.workflow_step_edges e JOIN tasker.workflow_steps p ON p.workflow_step_uuid = e.from_step_uuid
                     WHERE e.to_step_uuid = s.workflow_step_uuid AND p.state NOT IN ('complete', 'resolved_manually')
                     ORDER BY p.step_no, p.instance LIMIT v_named) w) AS waits_for,
           (SELECT tasker._error_text(r.result) FROM tasker.step_results r
             WHERE r.workflow_step_uuid = s.workflow_step_uuid AND r.task_uuid = p_task AND NOT r.success ORDER BY r.attempt DESC LIMIT 1) AS error,
           CASE WHEN s.state = 'enqueued_for_orchestration' THEN
             (SELECT format('%s (%s/%s, %s)', c.task_uuid, c.namespace, nt.name, c.state)
                FROM tasker.sub_tasks st JOIN tasker.tasks c ON c.task_uuid = st.child_uuid JOIN tasker.named_tasks nt ON nt.named_task_uuid = c.named_task_uuid
               WHERE st.step_uuid = s.workflow_step_uuid AND st.attempt = s.attempts) END AS child
      FROM tasker.workflow_steps s
      LEFT JOIN tasker.template_steps ts ON ts.digest = v_task.template_digest AND ts.step_no = s.step_no
     WHERE s.task_uuid = p_task AND s.state NOT IN ('complete', 'cancelled', 'resolved_manually')
  ), said AS (
    SELECT step.step_no, step.instance, step.name, step.state,
           CASE step.state WHEN 'error' THEN 1 WHEN 'in_progress' THEN 2 WHEN 'enqueued' THEN 3 WHEN 'waiting_for_retry' THEN 4 WHEN 'enqueued_for_orchestration' THEN 4 ELSE 5 END AS rank,
           CASE WHEN step.state = 'error' THEN format('failed after %s of %s attempts: %s', step.counted, step.max_attempts, coalesce(step.error, 'no message'))
                WHEN step.state = 'waiting_for_retry' AND v_task.failed_steps > 0 AND NOT step.isolated THEN 'will not be tried again: another step has failed'
                WHEN step.state IN ('pending', 'waiting_for_retry') AND v_task.held <> 0 THEN 'is held: ' || v_held
                WHEN step.state = 'waiting_for_retry' THEN format('attempt %s of %s failed: %s; the next one is due', step.counted, step.max_attempts, coalesce(step.error, 'no message'))
                WHEN step.state = 'enqueued_for_orchestration' THEN 'waits for sub-task ' || coalesce(step.child, '(none)')
                WHEN step.state IN ('enqueued', 'in_progress') AND step.message_at IS NULL THEN 'its queue message is lost; the sweeper sends it again'
                WHEN step.state = 'in_progress' AND step.message_at < v_now THEN 'its lease has ended: its worker is gone, another one gets it'
                WHEN step.state = 'in_progress' THEN format('runs as attempt %s of %s%s%s', step.counted, step.max_attempts,
                                                               ', ' || step.items || ' items done at its last checkpoint',
                                                               ', its handler has ' || step.timeout_ms / 1000 || ' s, then: ' || step.on_timeout)
                WHEN step.state = 'enqueued' THEN
                  CASE WHEN v_workers = 0 THEN format('is ready, but no worker of namespace %s is connected', v_task.namespace)
                       WHEN v_credit = 0 THEN format('is ready, but all %s workers of namespace %s are busy%s', v_workers, v_task.namespace, CASE step.msg_id WHEN v_next THEN '; ' || nullif(v_turn, '') END)
                       ELSE 'is ready and about to be given to a worker' END
                  || CASE WHEN step.queue_until IS NOT NULL THEN format('; given up at %s (queue_timeout_seconds), then: %s', tasker.time_text(step.queue_until, 'zoned'),
                                                                        step.on_queue_timeout) ELSE '' END
                WHEN v_task.failed_steps > 0 AND NOT step.isolated THEN 'will not start: another step has failed'
                WHEN step.no_room AND step.unmet_parents = 1 THEN 'waits for room: only so many of its batch run at once (batch_config.parallelism, batch.parallel_max)'
                WHEN step.waits_for IS NOT NULL THEN 'waits for ' || step.waits_for
                ELSE 'is ready and not dispatched; the sweeper does it' END AS why,
           CASE step.state WHEN 'in_progress' THEN step.dispatched_at WHEN 'pending' THEN v_task.created_at ELSE step.updated_at END AS since,
           CASE WHEN step.state IN ('pending', 'waiting_for_retry') AND v_task.held = 8 THEN v_task.run_at WHEN step.state = 'waiting_for_retry' THEN step.next_retry_at
                WHEN step.state = 'in_progress' THEN step.message_at WHEN step.state = 'enqueued' THEN step.queue_until END AS until
      FROM step
  )
  SELECT json_agg(json_build_object('name', said.name, 'state', said.state, 'why', said.why, 'since', tasker.time_text(said.since, 'zoned'),
                                    'until', tasker.time_text(said.until, 'zoned')) ORDER BY said.rank, said.step_no, said.instance)
           FILTER (WHERE said.place <= v_listed),
         (array_agg(said.state::text) FILTER (WHERE said.place = 1))[1], (array_agg(said.name) FILTER (WHERE said.place = 1))[1],
         (array_agg(said.why) FILTER (WHERE said.place = 1))[1]
    INTO v_steps, v_worst, v_name, v_why
    FROM (SELECT x.*, row_number() OVER (ORDER BY x.rank, x.step_no, x.instance) AS place FROM said x) said;

  RETURN json_build_object(
    'task_uuid', p_task, 'status', v_task.state, 'namespace', v_task.namespace, 'workers', v_workers, 'credit', v_credit,
    'run_at', tasker.time_text(v_task.run_at, 'zoned'), 'deadline', tasker.time_text(v_task.deadline, 'zoned'),
    'summary', CASE WHEN v_task.state IN ('complete', 'cancelled', 'error', 'resolved_manually') THEN format('It has ended: %s%s.', v_task.state, ' (' || v_task.message || ')')
                    WHEN v_held IS NOT NULL THEN format('It is held: %s.', v_held)
                    WHEN v_worst IS NULL THEN 'Nothing of it is open.'
                    WHEN v_worst = 'error' THEN format('It is blocked: %s %s.', v_name, v_why)
                    ELSE format('%s %s%s.', v_name, v_why, CASE v_worst WHEN 'waiting_for_retry' THEN ' soon'  ELSE '' END) END
               || coalesce((SELECT format(' It ends at %s at the latest.', tasker.time_text(v_task.deadline, 'zoned')) FROM tasker.open_tasks o
                             WHERE o.task_uuid = p_task AND v_task.deadline >= o.due_at), ''),
    'advice', CASE WHEN v_task.state = 'error' AND v_letter.task_uuid IS NOT NULL THEN
                     format('See what stood still: tasker dlq show %s. Set it going again: tasker dlq revive %1$s --reason ...', v_letter.dlq_entry_uuid)
                   WHEN v_stopped IS NOT NULL THEN format('Set it going again where it stopped: %s --reason ...', v_stopped)
                   WHEN v_task.state IN ('complete', 'cancelled', 'error', 'resolved_manually') THEN NULL
                   WHEN v_task.held & 1 <> 0 THEN format('Resume it: tasker task resume %s --reason ...', p_task)
                   WHEN v_task.held & 2 <> 0 THEN (SELECT format('Resume its template: tasker template resume %s/%s@%s --reason ...', v_task.namespace, nt.name, nt.version)
                                                     FROM tasker.named_tasks nt WHERE nt.named_task_uuid = v_task.named_task_uuid)
                   WHEN v_task.held & 4 <> 0 THEN format('Resume its namespace: tasker namespace resume %s --reason ...', v_task.namespace)
                   WHEN v_task.held <> 0 THEN format('Start it now: tasker task start %s --reason ...', p_task)
                   WHEN v_worst = 'error' THEN format('Mend what the error names, then: tasker step reset %s %s --reason ... (resolve, complete or skip go on without it).', p_task, v_name)
                   WHEN v_worst = 'enqueued' AND v_workers = 0 THEN format('Start a worker that has templates of namespace %s.', v_task.namespace)
                   WHEN v_worst = 'enqueued' AND v_credit = 0 THEN 'Start more workers, or give them more permits (worker.permits).'
                   WHEN v_worst = 'enqueued_for_orchestration' THEN format('Look at the sub-task: tasker task tree %s, tasker explain of what stands still there.', p_task)
                   WHEN v_worst = 'in_progress' THEN 'Look at the log of its worker; a handler that hangs ends with its timeout.' END,
    'dead_letter', CASE WHEN v_letter.task_uuid IS NOT NULL THEN json_build_object(
      'dlq_entry_uuid', v_letter.dlq_entry_uuid, 'reason', v_letter.dlq_reason, 'since', tasker.time_text(v_letter.dlq_timestamp, 'zoned'),
      'text', format('It is in the dead-letter queue since %s: %s.', left(tasker.time_text(v_letter.dlq_timestamp, 'zoned'), 19),
                     CASE v_letter.dlq_reason WHEN 'staleness_timeout' THEN CASE v_letter.metadata ->> 'detection_method'
                                                WHEN 'deadline' THEN 'its deadline had passed'
                                                ELSE CASE WHEN (v_letter.metadata ->> 'time_in_state_minutes')::int < (v_letter.metadata ->> 'threshold_minutes')::int
                                                            THEN 'it was at work for longer than staleness.lifetime'
                                                          ELSE format('nothing of it had moved for %s minutes', v_letter.metadata ->> 'time_in_state_minutes') END END
                                              WHEN 'max_retries_exceeded' THEN 'a step of it failed for good'
                                              WHEN 'worker_unavailable' THEN 'no worker took its steps'
                                              WHEN 'manual_dlq' THEN format('entered by %s: %s', v_letter.metadata ->> 'actor', v_letter.metadata ->> 'reason')
                                              ELSE v_letter.dlq_reason::text END)) END,
    'again', (SELECT format('It runs again from %s, generation %s: %s: %s.', (SELECT s.name FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = g.from_step),
                            g.generation, g.actor, g.reason)
                FROM tasker.task_generations g JOIN tasker.open_tasks o ON o.task_uuid = g.task_uuid
               WHERE g.task_uuid = p_task AND g.generation = v_task.generation),
    'staleness', CASE WHEN p_limits IS NOT NULL THEN tasker._staleness_json(p_task, p_limits, array(SELECT c.ns FROM unnest(p_ns, p_workers) c(ns, n) WHERE c.n > 0)) END,
    'steps', coalesce(v_steps, '[]'::json));
END $$;
