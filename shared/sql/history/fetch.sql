-- The next rows of the cursor of history.export, each a JSON object; fewer than the limit: that was its end.
-- in:  $1 int4 limit
-- out: line text (0..n rows)
SELECT line FROM tasker.fetch_history($1) line;
