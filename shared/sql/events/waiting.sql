-- Whether events wait for a look at their schema: what a slow look asks first, for mostly there are none.
-- in:
-- out: waits bool (1 row)
SELECT EXISTS (SELECT 1 FROM tasker.unchecked_events) AS waits;
