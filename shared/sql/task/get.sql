-- Tasks as the REST contract shows them; n is the place in $1, from 1. No row for an unknown task.
-- in:  $1 uuid[] tasks
-- out: n int8, body text (0..n rows)
SELECT n, body FROM tasker.task_responses($1, true);
