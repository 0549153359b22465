-- in:  $1 uuid task, $2 uuid step
-- out: body json (1 row)
SELECT coalesce(json_agg(s), '[]'::json) AS body FROM tasker.step_responses($1, $2) s;
