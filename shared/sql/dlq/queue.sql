-- Pending entries, the most urgent first.
-- in:  $1 int4 limit
-- out: body json (1 row)
SELECT body FROM tasker.investigation_queue($1) body;
