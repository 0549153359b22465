-- Removes domain events nobody read for long, and says how many wait.
-- in:  $1 int4 max_age_s, $2 int8 keep, $3 int4 limit
-- out: namespace text, depth int8, oldest_s float8, expired int8, overflowed int8 (0..n rows)
SELECT namespace, depth, oldest_s, expired, overflowed FROM tasker.trim_events($1, $2, $3);
