-- Sets the weight of a namespace. Says weighed, unchanged or unknown.
-- in:  $1 text namespace, $2 int4 weight, $3 text actor, $4 text reason
-- out: outcome text (1 row)
SELECT tasker.weigh_namespace($1, $2, $3, $4) AS outcome;
