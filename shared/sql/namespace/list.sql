-- One namespace, or all of them.
-- in:  $1 text namespace
-- out: body json (0..1 row)
SELECT b.body FROM tasker.list_namespaces($1) AS b(body) WHERE b.body IS NOT NULL;
