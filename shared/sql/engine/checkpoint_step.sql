-- Stores how far a running step has come.
-- in:  $1 uuid step, $2 uuid task, $3 int4 attempt, $4 int8 message, $5 text cursor, $6 int8 items, $7 text accumulated, $8 int4 history_max, $9 int4 lease_ms
-- out: checkpoint text (1 row)
SELECT tasker.checkpoint_step($1, $2, $3, $4, $5, $6, $7, $8, $9) AS checkpoint;
