-- The tables of which history consists.
-- in:
-- out: name text (3 rows)
SELECT unnest(tasker._history_tables()) AS name;
