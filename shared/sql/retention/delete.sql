-- Deletes the tasks that retention.choose gave to this transaction.
-- in:  $1 uuid[] tasks
-- out: tasks int8, steps int8 (1 row)
SELECT tasks, steps FROM tasker.delete_tasks($1);
