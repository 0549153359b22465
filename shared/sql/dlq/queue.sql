-- Pending entries, the most urgent first. No row: there is no entry of the cursor.
-- in:  $1 int4 limit, $2 timestamptz after, $3 timestamptz before, $4 uuid cursor
-- out: body json (0..1 rows)
SELECT body FROM tasker.investigation_queue($1, $2, $3, $4) body WHERE body IS NOT NULL;
