-- One task as the REST contract shows it.
-- in:  $1 uuid task
-- out: body json (0 or 1 row)
SELECT body FROM tasker.task_response($1, true) body WHERE body IS NOT NULL; -- in FROM: called once
