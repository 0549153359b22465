-- What was slow in the last 24 hours.
-- in:  $1 int4 limit, $2 int4 min_executions
-- out: body json (1 row)
SELECT body FROM tasker.analytics_bottlenecks($1, $2) body;
