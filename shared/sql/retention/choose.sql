-- The next tasks of a namespace to delete, locked for this transaction; the last row says where to go on, NULL at the end.
-- in:  $1 text namespace, $2 uuid after, $3 int4 limit, $4 int8 steps
-- out: task uuid, looked uuid (1..n rows)
SELECT task, looked FROM tasker.choose_expired($1, $2, $3, $4);
