-- One task as the REST contract shows it.
-- in:  $1 uuid task
-- out: body json (0 or 1 row)
SELECT body FROM (SELECT tasker.task_response($1, true) AS body) found WHERE body IS NOT NULL;
