-- Hides the messages of running steps for another lease.
-- in:  $1 text[] namespaces, $2 int8[] messages, $3 int4 lease_ms
-- out: renewed int4 (1 row)
SELECT tasker.renew_leases($1, $2, $3) AS renewed;
