-- What the policies would delete now.
-- in:
-- out: namespace text, keep_days int4, source text, older int8, due int8, steps int8 (0..n rows)
SELECT namespace, keep_days, source, older, due, steps FROM tasker.retention_due();
