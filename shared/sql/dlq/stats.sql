-- Entries by reason.
-- in:  (none)
-- out: body json (1 row)
SELECT body FROM tasker.dead_letter_stats() body;
