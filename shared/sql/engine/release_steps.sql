-- Takes assignments back: lost, never sent, or given back by a worker that had not begun them.
-- in:  $1 uuid[] steps, $2 int4[] attempts, $3 int8[] messages, $4 text[] namespaces, $5 bool[] lost, $6 int4 losses_max, $7 uuid processor, $8 bool given_back
-- out: kind text, idx int4, due_at timestamptz, step_uuid uuid, task_uuid uuid, attempt int4, msg_id int8, namespace text, step_no int4, step_name text, named_task_uuid uuid, template_digest text, correlation_id uuid, parent_correlation_id uuid, priority int4, retry_count int4, max_attempts int4, retryable bool, initiator text, source_system text, reason text, requested_at timestamptz, context text, dependency_results text, dependencies_complete bool, step_inputs text, checkpoint text (0..n rows)
SELECT kind, idx, due_at, step_uuid, task_uuid, attempt, msg_id, namespace, step_no, step_name, named_task_uuid, template_digest, correlation_id,
       parent_correlation_id, priority, retry_count, max_attempts, retryable, initiator, source_system, reason, requested_at, context,
       dependency_results, dependencies_complete, step_inputs, checkpoint
  FROM tasker.release_steps($1, $2, $3, $4, $5, $6, $7, $8);
