-- Hides the messages of running steps for another lease; answers which executions do not hold any more.
-- in:  $1 uuid[] steps, $2 int4[] attempts, $3 int8[] messages, $4 text[] namespaces, $5 int4 lease_ms
-- out: idx int4 (0..n rows)
SELECT r AS idx FROM tasker.renew_leases($1, $2, $3, $4, $5) r;
