-- What history there is, month by month, and which months end before a day, or ended some time ago.
-- in:  $1 text before, $2 text age
-- out: month text, tasks int8, open_tasks int8, oldest uuid, row_count int8, bytes int8, due bool, dropped_at text (0..n rows)
SELECT to_char(month, 'YYYY-MM') AS month, tasks, open_tasks, oldest, row_count, bytes, due, tasker.time_text(dropped_at, 'zoned') AS dropped_at
  FROM tasker.history_months($1::date, $2::interval);
