-- What people write down about an entry.
-- in:  $1 uuid entry, $2 text status, $3 text notes, $4 text by, $5 text metadata
-- out: outcome text, seconds float8 (1 row)
SELECT outcome, seconds FROM tasker.update_dead_letter($1, $2, $3, $4, $5);
