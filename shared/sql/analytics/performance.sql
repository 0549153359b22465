-- How the tasks of the last hours went.
-- in:  $1 int4 hours
-- out: body json (1 row)
SELECT body FROM tasker.analytics_performance($1) body;
