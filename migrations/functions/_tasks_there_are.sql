-- tasker._tasks_there_are(): how many tasks there ever were, all told: what is rolled up, deleted ones included, and a count of the others. Locks: none.
CREATE OR REPLACE FUNCTION tasker._tasks_there_are() RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(r.tasks - cardinality(r.left_out)), 0) + cardinality(tasker._counted_by_row('2020-01-01T00:00:00Z')) FROM tasker.rolled r
$$;
