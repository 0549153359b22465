-- tasker._tasks_there_are(): how many tasks there are, all told: what is rolled up, and a count from there on. Locks: none.
CREATE OR REPLACE FUNCTION tasker._tasks_there_are() RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT sum(r.tasks) FROM tasker.rolled r WHERE r.stretch < u.until), 0)::bigint
         + (SELECT count(*) FROM tasker.tasks t WHERE t.task_uuid >= tasker._uuid_at(u.until))
    FROM tasker.rolled_until u
$$;
