-- Ends a task and all of it that has not ended.
-- in:  $1 uuid task, $2 text actor, $3 text reason, $4 uuid processor
-- out: outcome text, step_uuid uuid, attempt int4 (1..n rows)
SELECT outcome, step_uuid, attempt FROM tasker.cancel_task($1, $2, $3, $4);
