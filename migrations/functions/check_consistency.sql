-- tasker.check_consistency(task): proves that what is counted equals what the graph says, and what foreign keys would have
-- guarded. One row per problem; none in a healthy database. NULL checks everything. One snapshot, no locks.
CREATE OR REPLACE FUNCTION tasker.check_consistency(p_task uuid DEFAULT NULL)
RETURNS TABLE (problem text, task_uuid uuid, step_uuid uuid, detail text) LANGUAGE sql STABLE AS $$
  WITH t AS (
    SELECT * FROM tasker.tasks x WHERE p_task IS NULL OR x.task_uuid = p_task
  ), s AS (
    -- With what is asked of its task: a filter on both, joined later, is taken for a handful of rows and goes through all steps once per task.
    SELECT x.*, t.namespace, t.state AS task_state, t.held = 0 AND (t.failed_steps = 0 OR tasker._isolated(x.instance, x.inputs)) AS goes_on
      FROM tasker.workflow_steps x JOIN t ON t.task_uuid = x.task_uuid
  ), counted AS (
    SELECT s.task_uuid, count(*)::int AS total,
           (count(*) FILTER (WHERE s.state NOT IN ('complete', 'resolved_manually', 'cancelled')))::int AS open,
           (count(*) FILTER (WHERE s.state = 'error'))::int AS failed,
           (count(*) FILTER (WHERE s.state IN ('enqueued', 'in_progress')))::int AS active,
           (count(*) FILTER (WHERE s.state = 'waiting_for_retry'))::int AS retry
      FROM s GROUP BY s.task_uuid
  ), parents AS (
    SELECT s.workflow_step_uuid, count(p.workflow_step_uuid) FILTER (WHERE p.state NOT IN ('complete', 'resolved_manually'))::int AS unmet
      FROM s
      LEFT JOIN tasker.workflow_step_edges e ON e.to_step_uuid = s.workflow_step_uuid
      LEFT JOIN tasker.workflow_steps p ON p.workflow_step_uuid = e.from_step_uuid
     GROUP BY s.workflow_step_uuid
  ), by_hand AS ( -- completed by a person, whatever its parents do and however often it succeeded before
    SELECT s.workflow_step_uuid FROM s JOIN tasker.step_results r ON r.task_uuid = s.task_uuid AND r.workflow_step_uuid = s.workflow_step_uuid
                                                      AND r.attempt = s.attempts
     WHERE s.state = 'complete' AND r.success AND r.worker_id IS NULL
  ), m AS (
    SELECT * FROM tasker._messages()
  )
  SELECT 'task counters', t.task_uuid, NULL::uuid,
         format('total/open/failed/active/retry are %s/%s/%s/%s/%s, the steps say %s/%s/%s/%s/%s', t.total_steps, t.open_steps, t.failed_steps,
                t.active_steps, t.retry_steps, c.total, c.open, c.failed, c.active, c.retry)
    FROM t JOIN counted c ON c.task_uuid = t.task_uuid
   WHERE (t.total_steps, t.open_steps, t.failed_steps, t.active_steps, t.retry_steps) <> (c.total, c.open, c.failed, c.active, c.retry)
  UNION ALL
  SELECT 'list of ends', coalesce(t.task_uuid, e.task_uuid), NULL, format('is %s, among those that ended otherwise it is %s', t.state, e.state)
    FROM (SELECT * FROM t WHERE t.state IN ('error', 'cancelled', 'resolved_manually')) t
    FULL JOIN (SELECT * FROM tasker.ended_otherwise x WHERE p_task IS NULL OR x.task_uuid = p_task) e ON e.task_uuid = t.task_uuid
   WHERE t.state IS DISTINCT FROM e.state OR t.namespace <> e.namespace
  UNION ALL
  SELECT 'list of tags', coalesce(t.task_uuid, g.task_uuid), NULL,
         format('%s is %s', coalesce(t.tag, g.tag), CASE WHEN g.tag IS NULL THEN 'a tag of the task, and not listed' ELSE 'listed, and not a tag of the task' END)
    FROM (SELECT DISTINCT x.task_uuid, e.tag FROM t x, jsonb_array_elements_text(x.tags) e(tag) WHERE x.tags <> '[]') t
    FULL JOIN (SELECT x.* FROM tasker.task_tags x WHERE p_task IS NULL OR x.task_uuid = p_task) g ON g.task_uuid = t.task_uuid AND g.tag = t.tag
   WHERE t.tag IS NULL OR g.tag IS NULL
  UNION ALL
  SELECT 'task without steps', t.task_uuid, NULL, 'no row in workflow_steps' FROM t WHERE NOT EXISTS (SELECT 1 FROM counted c WHERE c.task_uuid = t.task_uuid)
  UNION ALL
  SELECT 'task state', t.task_uuid, NULL, format('is %s, its counters say %s', t.state, tasker._task_state(t.open_steps, t.failed_steps, t.active_steps, t.retry_steps))
    FROM t WHERE t.state NOT IN ('cancelled', 'error', 'resolved_manually')
             AND t.state <> tasker._task_state(t.open_steps, t.failed_steps, t.active_steps, t.retry_steps)
  UNION ALL
  SELECT 'open_tasks', t.task_uuid, NULL, CASE WHEN o.task_uuid IS NULL THEN 'an open task is not listed' ELSE 'an ended task is listed' END
    FROM t LEFT JOIN tasker.open_tasks o ON o.task_uuid = t.task_uuid
   WHERE (o.task_uuid IS NULL) <> (t.state IN ('complete', 'error', 'cancelled', 'resolved_manually'))
  UNION ALL
  SELECT 'open_tasks', o.task_uuid, NULL, 'listed, but there is no such task'
    FROM tasker.open_tasks o WHERE p_task IS NULL AND NOT EXISTS (SELECT 1 FROM tasker.tasks x WHERE x.task_uuid = o.task_uuid)
  UNION ALL
  SELECT 'unmet_parents', s.task_uuid, s.workflow_step_uuid,
         format('%s is %s, the edges say %s%s', s.name, s.unmet_parents, p.unmet, CASE WHEN s.no_room THEN ', and it waits for room' ELSE '' END)
    FROM s JOIN parents p ON p.workflow_step_uuid = s.workflow_step_uuid
   WHERE s.unmet_parents <> p.unmet + s.no_room::int AND s.state NOT IN ('cancelled', 'resolved_manually')
     AND NOT EXISTS (SELECT 1 FROM by_hand b WHERE b.workflow_step_uuid = s.workflow_step_uuid)
  UNION ALL
  SELECT 'live step of an ended task', s.task_uuid, s.workflow_step_uuid, format('%s is %s, the task is %s', s.name, s.state, s.task_state)
    FROM s
   WHERE s.task_state IN ('complete', 'cancelled') AND s.state NOT IN ('complete', 'cancelled', 'resolved_manually')
  UNION ALL
  SELECT 'stranded step', s.task_uuid, s.workflow_step_uuid, format('%s is ready and not dispatched', s.name)
    FROM s WHERE s.state = 'pending' AND s.unmet_parents = 0 AND s.goes_on
  UNION ALL
  SELECT 'batch without room', s.task_uuid, min(s.workflow_step_uuid::text)::uuid, format('%s steps wait for room and none of their batch is at work', count(*))
    FROM s
   WHERE s.no_room AND s.state = 'pending'
     AND NOT EXISTS (SELECT 1 FROM tasker.workflow_steps w WHERE w.task_uuid = s.task_uuid AND w.step_no = s.step_no AND NOT w.no_room
                        AND w.state NOT IN ('complete', 'resolved_manually', 'cancelled') AND NOT (w.state = 'error' AND tasker._isolated(w.instance, w.inputs)))
   GROUP BY s.task_uuid, s.step_no
  UNION ALL
  SELECT 'missing timer', s.task_uuid, s.workflow_step_uuid, format('%s waits for a retry that nothing will start', s.name)
    FROM s
   WHERE s.state = 'waiting_for_retry' AND s.goes_on AND NOT EXISTS (SELECT 1 FROM tasker.step_timers st WHERE st.workflow_step_uuid = s.workflow_step_uuid)
  UNION ALL
  SELECT 'orphan timer', st.task_uuid, st.workflow_step_uuid, format('its step is %s', coalesce(x.state::text, 'not there'))
    FROM tasker.step_timers st LEFT JOIN tasker.workflow_steps x ON x.workflow_step_uuid = st.workflow_step_uuid
   WHERE (p_task IS NULL OR st.task_uuid = p_task) AND x.state IS DISTINCT FROM 'waiting_for_retry'
  UNION ALL
  SELECT 'missing timer', t.task_uuid, NULL, CASE WHEN t.held & 8 <> 0 THEN 'waits for its run_at, which nothing will notice' ELSE 'has a deadline that nothing will notice' END
    FROM t JOIN tasker.open_tasks o ON o.task_uuid = t.task_uuid
   WHERE o.due_at IS NULL AND (t.held & 8 <> 0 OR t.deadline > clock_timestamp())
  UNION ALL
  SELECT 'missing timer', s.task_uuid, s.workflow_step_uuid, format('%s may lie in its queue only so long, and nothing will notice', s.name)
    FROM s
   WHERE s.state = 'enqueued' AND s.queue_timeout_ms IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasker.queue_timers q WHERE q.workflow_step_uuid = s.workflow_step_uuid)
  UNION ALL
  SELECT 'orphan timer', q.task_uuid, q.workflow_step_uuid, format('of a queue; its step is %s', coalesce(x.state::text, 'not there'))
    FROM tasker.queue_timers q LEFT JOIN tasker.workflow_steps x ON x.workflow_step_uuid = q.workflow_step_uuid
   WHERE (p_task IS NULL OR q.task_uuid = p_task) AND x.state IS DISTINCT FROM 'enqueued'
  UNION ALL
  SELECT 'missing message', s.task_uuid, s.workflow_step_uuid, format('%s is %s, its message %s is not in the queue', s.name, s.state, coalesce(s.msg_id::text, '(none)'))
    FROM s
   WHERE s.state IN ('enqueued', 'in_progress') AND NOT EXISTS (SELECT 1 FROM m WHERE m.namespace = s.namespace AND m.msg_id = s.msg_id)
  UNION ALL
  SELECT 'orphan message', x.task_uuid, m.step_uuid, format('message %s of %s, its step is %s', m.msg_id, m.namespace, coalesce(x.state::text, 'not there'))
    FROM m LEFT JOIN tasker.workflow_steps x ON x.workflow_step_uuid = m.step_uuid
   WHERE (p_task IS NULL OR x.task_uuid = p_task) AND (x.msg_id IS DISTINCT FROM m.msg_id OR x.state NOT IN ('enqueued', 'in_progress'))
  UNION ALL
  SELECT 'settled twice', s.task_uuid, s.workflow_step_uuid, format('%s has %s successful results', s.name, count(*))
    FROM s JOIN tasker.step_results r ON r.workflow_step_uuid = s.workflow_step_uuid AND r.task_uuid = s.task_uuid AND r.success
           AND r.worker_id IS NOT NULL AND r.attempt > s.results_after
   GROUP BY s.task_uuid, s.workflow_step_uuid, s.name HAVING count(*) > 1
  UNION ALL
  SELECT 'complete without result', s.task_uuid, s.workflow_step_uuid, s.name
    FROM s WHERE s.state = 'complete' AND NOT EXISTS (SELECT 1 FROM tasker.step_results r WHERE r.workflow_step_uuid = s.workflow_step_uuid AND r.task_uuid = s.task_uuid
                                                         AND r.attempt > s.results_after AND (r.success OR s.instance > 0)) -- a batch may go on without one that failed
     AND NOT EXISTS (SELECT 1 FROM tasker.dropped_history d WHERE s.task_uuid >= d.from_uuid AND s.task_uuid < d.to_uuid)
  UNION ALL
  SELECT 'step without task', x.task_uuid, x.workflow_step_uuid, x.name
    FROM tasker.workflow_steps x WHERE p_task IS NULL AND NOT EXISTS (SELECT 1 FROM tasker.tasks y WHERE y.task_uuid = x.task_uuid)
  UNION ALL
  SELECT 'dead letter without task', d.task_uuid, NULL, format('entry %s', d.dlq_entry_uuid)
    FROM tasker.dead_letters d WHERE p_task IS NULL AND NOT EXISTS (SELECT 1 FROM tasker.tasks y WHERE y.task_uuid = d.task_uuid)
  UNION ALL
  SELECT 'edge without step', NULL, e.to_step_uuid, format('%s → %s', e.from_step_uuid, e.to_step_uuid)
    FROM tasker.workflow_step_edges e
   WHERE p_task IS NULL AND (NOT EXISTS (SELECT 1 FROM tasker.workflow_steps y WHERE y.workflow_step_uuid = e.from_step_uuid)
                             OR NOT EXISTS (SELECT 1 FROM tasker.workflow_steps y WHERE y.workflow_step_uuid = e.to_step_uuid))
  UNION ALL
  SELECT 'event not looked at', u.task_uuid, (u.event #>> '{metadata,step_uuid}')::uuid, format('%s waits for a look at its schema', u.event ->> 'event_name')
    FROM tasker.unchecked_events u
   WHERE (p_task IS NULL OR u.task_uuid = p_task) AND tasker._uuid_time((u.event ->> 'event_id')::uuid) < clock_timestamp() - interval '5 minutes'
  UNION ALL
  SELECT 'task without template', t.task_uuid, NULL, t.template_digest
    FROM t WHERE NOT EXISTS (SELECT 1 FROM tasker.templates x WHERE x.digest = t.template_digest)
              OR NOT EXISTS (SELECT 1 FROM tasker.named_tasks x WHERE x.named_task_uuid = t.named_task_uuid)
  UNION ALL
  SELECT x.problem, x.task_uuid, x.step_uuid, x.detail FROM tasker._check_sub_tasks(p_task) x
$$;
