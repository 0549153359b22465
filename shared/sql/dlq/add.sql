-- A person wants a task looked into.
-- in:  $1 uuid task, $2 text actor, $3 text reason
-- out: entry uuid, made bool (0..1 rows)
SELECT entry, made FROM tasker.add_dead_letter($1, $2, $3);
