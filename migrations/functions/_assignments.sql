-- tasker._assignments(steps, tasks): 'assign' rows for steps in progress, with what their handlers need: the task's context and
-- the results of complete ancestors, nearest first, as one JSON object {step name: result};
-- an instance of a batch has its inputs, whoever left a checkpoint that.
-- Reads: workflow_steps, tasks, template_steps, step_results. Locks: none of its own. Inlined, so the caller passes a variable and no
-- subquery, or it would be planned anew on every call. OFFSET 0 keeps the planner from going through all steps of the task for the few
-- ancestors of one: it did while it took tasks for small (and through all results of it), and a large graph then cost the square of its steps. The same with the
-- steps of a template; and the steps themselves go by key even where ANALYZE found one row (test_plans).
-- The tasks are those of the steps, in uuid order: their first and last say, before the statement starts, which partitions of the results
-- it need not open. Without them a year of history costs as much as a tenth of a settle.
DROP FUNCTION IF EXISTS tasker._assignments(uuid[]); -- before there were partitions
CREATE OR REPLACE FUNCTION tasker._assignments(p_step uuid[], p_task uuid[]) RETURNS SETOF tasker.engine_row
LANGUAGE sql STABLE AS $$
  SELECT 'assign'::text, NULL::int, NULL::timestamptz, s.workflow_step_uuid, s.task_uuid, s.attempts::int, s.msg_id, t.namespace,
         s.step_no::int, s.name, t.named_task_uuid, t.template_digest, t.correlation_id, t.parent_correlation_id, t.priority,
         (s.attempts - s.forgiven - 1)::int, s.max_attempts::int, s.retryable, t.initiator, t.source_system, t.reason,
         t.requested_at, t.context::text,
         coalesce((SELECT '{' || string_agg(to_json(a.name)::text || ':' || r.result::text, ',') || '}'
                     FROM unnest(ts.ancestors) no(step_no)
                     CROSS JOIN LATERAL (SELECT x.name, x.workflow_step_uuid, x.attempts FROM tasker.workflow_steps x
                                          WHERE x.task_uuid = s.task_uuid AND x.step_no = no.step_no AND x.state = 'complete' OFFSET 0) a
                     CROSS JOIN LATERAL (SELECT y.result FROM tasker.step_results y
                                          WHERE y.task_uuid = s.task_uuid AND y.workflow_step_uuid = a.workflow_step_uuid AND y.attempt = a.attempts AND y.success
                                            AND y.task_uuid BETWEEN p_task[1] AND p_task[cardinality(p_task)] OFFSET 0) r), '{}'),
         coalesce(ts.ancestors_all <= cardinality(ts.ancestors), true), s.inputs::text, s.checkpoint::text
    FROM unnest(p_step) WITH ORDINALITY u(step, n)
   CROSS JOIN LATERAL (SELECT x.* FROM tasker.workflow_steps x WHERE x.workflow_step_uuid = u.step OFFSET 0) s
    JOIN tasker.tasks t ON t.task_uuid = s.task_uuid
    LEFT JOIN LATERAL (SELECT x.ancestors, x.ancestors_all FROM tasker.template_steps x
                        WHERE x.digest = t.template_digest AND x.step_no = s.step_no OFFSET 0) ts ON true
   ORDER BY u.n
$$;
