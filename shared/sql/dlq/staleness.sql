-- How near open tasks are to being stale.
-- in:  $1 int4[] limits, $2 text[] served, $3 int4 limit
-- out: body json (1 row)
SELECT body FROM tasker.staleness_report($1, $2, $3) body;
