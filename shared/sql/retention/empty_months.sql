-- Months of history that are over and whose tasks have all been deleted.
-- in:
-- out: month text (0..n rows)
SELECT to_char(month, 'YYYY-MM') AS month FROM tasker.empty_months();
