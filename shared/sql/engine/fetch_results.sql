-- Stored results of complete steps, by name.
-- in:  $1 uuid task, $2 text[] names
-- out: step_name text, result text (0..n rows)
SELECT step_name, result FROM tasker.fetch_results($1, $2);
