-- Says how far this process has come with the policies. after NULL: the namespace is done.
-- in:  $1 uuid holder, $2 text namespace, $3 uuid after, $4 int8 tasks, $5 int8 steps, $6 int4 every_s
-- out: is_over bool, tasks int8, steps int8, seconds float8 (0..1 rows)
SELECT is_over, tasks, steps, seconds FROM tasker.retention_done($1, $2, $3, $4, $5, $6);
