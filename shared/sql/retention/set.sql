-- Sets the policy of a namespace ('*': of those without one), or takes it away. keep_days 0: for ever. Says set, cleared, none or unknown.
-- in:  $1 text namespace, $2 int4 keep_days, $3 bool clear
-- out: outcome text (1 row)
SELECT tasker.set_retention($1, nullif($2, 0), $3) AS outcome;
