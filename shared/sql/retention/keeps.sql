-- How long each namespace keeps its ended tasks; first what holds for those without a policy of their own ('*'). keep_days NULL: for ever.
-- in:
-- out: namespace text, keep_days int4, source text (1..n rows)
SELECT namespace, keep_days, source FROM tasker.retention_keeps();
