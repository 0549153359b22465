-- An entry of the dead-letter queue.
-- in:  $1 uuid entry
-- out: body json (0..1 rows)
SELECT tasker._dead_letter_json(d) AS body FROM tasker.dead_letters d WHERE d.dlq_entry_uuid = $1;
