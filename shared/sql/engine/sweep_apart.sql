-- The same as sweep, task by task: where it raised.
-- in:  $1 int4 idle_s, $2 int4 limit, $3 uuid after
-- out: kind text, task_uuid uuid, step_uuid uuid, what text (0..n rows)
SELECT kind, task_uuid, step_uuid, what FROM tasker.sweep_apart($1, $2, $3);
