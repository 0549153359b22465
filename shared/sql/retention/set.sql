-- Sets the policy of a namespace, or takes it away.
-- in:  $1 text namespace, $2 int4 keep_days, $3 bool clear
-- out: outcome text (1 row): set, cleared, none, unknown
SELECT tasker.set_retention($1, nullif($2, 0), $3) AS outcome;
