-- Locks the tasks of results that may let their graph grow; tells what exists in them.
-- in:  $1 uuid[] steps, $2 uuid[] tasks, $3 int4[] attempts, $4 int8[] messages
-- out: idx int4, template_digest text, source int4, step_no int4, open bool (0..n rows)
SELECT idx, template_digest, source, step_no, open FROM tasker.growth_begin($1, $2, $3, $4);
