-- Drops a month of history, or says why not: open, not over, unknown.
-- in:  $1 text month
-- out: outcome text, open_tasks int8, oldest uuid (1 row)
SELECT outcome, open_tasks, oldest FROM tasker.drop_history(to_date($1, 'YYYY-MM'));
