-- Publishes those that fit, and forgets the others.
-- in:  $1 int8[] numbers, $2 bool[] fit
-- out: checked_events void (1 row)
SELECT tasker.checked_events($1, $2);
