-- Partitions of the history tables for this month and the next ones.
-- in:  $1 int4 ahead
-- out: made int4 (1 row)
SELECT tasker.make_history_months($1) AS made;
