-- Tasks as the REST contract shows them.
-- in:  $1 uuid[] tasks
-- out: n int8 (place in $1, from 1), body json; no row for an unknown one
SELECT n, body FROM tasker.task_responses($1, true);
