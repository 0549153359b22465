-- Entries of the dead-letter queue, newest first; what is NULL does not filter. No row: there is no entry of the cursor.
-- in:  $1 text status, $2 text reason, $3 text namespace, $4 text name, $5 text version, $6 timestamptz after, $7 timestamptz before, $8 int4 limit, $9 int4 offset, $10 uuid cursor
-- out: body json (0..1 rows)
SELECT body FROM tasker.list_dead_letters($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) body WHERE body IS NOT NULL;
