-- Why a task is where it is. The arrays say what is known of the workers of each namespace; limits are those of staleness.
-- in:  $1 uuid task, $2 text[] namespaces, $3 int4[] workers, $4 int4[] credits, $5 int4[] limits
-- out: body json (0 or 1 row)
SELECT body FROM tasker.explain_task($1, $2, $3, $4, $5) body WHERE body IS NOT NULL;
