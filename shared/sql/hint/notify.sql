-- Wakes listeners in a transaction of its own, never inside the hot one.
-- in:  $1 text channel, $2 text payload
-- out: notified void (1 row)
SELECT pg_notify($1, $2) AS notified;
