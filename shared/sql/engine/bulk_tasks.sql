-- One page of a decision about many tasks.
-- in:  $1 text action, $2 text namespace, $3 text name, $4 text version, $5 text state, $6 text initiator, $7 text tag, $8 uuid correlation, $9 timestamptz created_after, $10 timestamptz created_before, $11 text step, $12 text step_state, $13 bool dry, $14 text actor, $15 text reason, $16 text data, $17 uuid after, $18 int4 limit, $19 int4 steps, $20 uuid processor
-- out: kind text, idx int4, due_at timestamptz, step_uuid uuid, task_uuid uuid, attempt int4, msg_id int8, namespace text, step_no int4, step_name text, named_task_uuid uuid, template_digest text, correlation_id uuid, parent_correlation_id uuid, priority int4, retry_count int4, max_attempts int4, retryable bool, initiator text, source_system text, reason text, requested_at timestamptz, context text, dependency_results text, dependencies_complete bool, step_inputs text, checkpoint text (0..n rows)
SELECT kind, idx, due_at, step_uuid, task_uuid, attempt, msg_id, namespace, step_no, step_name, named_task_uuid, template_digest, correlation_id,
       parent_correlation_id, priority, retry_count, max_attempts, retryable, initiator, source_system, reason, requested_at, context,
       dependency_results, dependencies_complete, step_inputs, checkpoint
  FROM tasker.bulk_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20);
