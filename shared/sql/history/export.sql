-- Opens the cursor that history.fetch reads: a month of one history table.
-- in:  $1 text table, $2 text month
-- out: cursor text (1 row)
SELECT tasker.export_history($1, to_date($2, 'YYYY-MM'))::text AS cursor;
