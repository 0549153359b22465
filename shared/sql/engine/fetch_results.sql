-- Stored results of complete steps, by name; of batch workers by the name in the template.
-- in:  $1 uuid task, $2 text[] names, $3 int4 after_no, $4 int4 after_instance
-- out: step_name text, result text, step_no int4, instance int4 (0..n rows)
SELECT step_name, result, step_no, instance FROM tasker.fetch_results($1, $2, $3, $4);
