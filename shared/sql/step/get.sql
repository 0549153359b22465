-- in:  $1 uuid task, $2 uuid step
-- out: body json (0 or 1 row)
SELECT s AS body FROM tasker.step_responses($1, $2) s;
