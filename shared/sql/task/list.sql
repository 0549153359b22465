-- A page of tasks, newest first; what is NULL does not filter.
-- in:  $1 int4 page, $2 int4 per_page, $3 bool by_cursor, $4 uuid cursor, $5 text namespace, $6 text status, $7 text initiator, $8 text source_system, $9 text name, $10 text version, $11 text tag, $12 uuid correlation, $13 uuid parent_correlation, $14 timestamptz after, $15 timestamptz before, $16 text context_path, $17 text context_value
-- out: body json (1 row)
SELECT body FROM tasker.list_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) body;
