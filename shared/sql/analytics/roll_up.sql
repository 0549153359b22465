-- Adds up the next stretches for analytics.
-- in:  $1 int4 stretches
-- out: done int4, more bool (1 row)
SELECT done, more FROM tasker.roll_up($1);
