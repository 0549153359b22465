-- Entries of the dead-letter queue, newest first; what is NULL does not filter.
-- in:  $1 text status, $2 text reason, $3 text namespace, $4 text name, $5 text version, $6 int4 limit, $7 int4 offset
-- out: body json (1 row)
SELECT body FROM tasker.list_dead_letters($1, $2, $3, $4, $5, $6, $7) body;
