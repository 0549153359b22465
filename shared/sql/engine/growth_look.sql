-- Locks the task of a decision or an analyzer that is completed by hand; tells what exists in it.
-- in:  $1 uuid task, $2 uuid step
-- out: idx int4, template_digest text, source int4, step_no int4, open bool (0..n rows)
SELECT idx, template_digest, source, step_no, open FROM tasker.growth_look($1, $2);
