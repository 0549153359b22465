-- A page of tasks, newest first.
-- in:  $1 int4 page, $2 int4 per_page, $3 text namespace, $4 text status, $5 text initiator, $6 text source_system
-- out: body json (1 row)
SELECT body FROM tasker.list_tasks($1, $2, $3, $4, $5, $6) body;
