-- Opens the cursor that history.fetch reads: all that belongs to the tasks.
-- in:  $1 uuid[] tasks
-- out: cursor text (1 row)
SELECT tasker.export_tasks($1)::text AS cursor;
