-- tasker._counted_by_row(since): the tasks begun since then that nobody has added up: those of the first stretch, which is not whole; those left out of rolled
-- ones; those of stretches that are not rolled, the last of which has no end. With what is rolled from tasker._whole_from(since) on they are all.
-- STABLE, so that callers that are too see one and the same moment. Locks: none.
CREATE OR REPLACE FUNCTION tasker._counted_by_row(p_since timestamptz) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_whole timestamptz := tasker._whole_from(p_since);
  v_until timestamptz := (SELECT greatest(until, v_whole) FROM tasker.rolled_until);
  v_last  timestamptz := greatest(v_until, (SELECT max(stretch) + interval '5 minutes' FROM tasker.rolled));
BEGIN
  RETURN array(
    SELECT t.task_uuid FROM tasker.tasks t WHERE t.task_uuid >= tasker._uuid_at(p_since) AND t.task_uuid < tasker._uuid_at(v_whole)
    UNION ALL SELECT unnest(r.left_out) FROM tasker.rolled r WHERE r.stretch >= v_whole
    UNION ALL SELECT t.task_uuid FROM generate_series(v_until, v_last - interval '5 minutes', '5 minutes') g(stretch)
                CROSS JOIN LATERAL (SELECT x.task_uuid FROM tasker.tasks x WHERE x.task_uuid >= tasker._uuid_at(g.stretch)
                                       AND x.task_uuid < tasker._uuid_at(g.stretch + interval '5 minutes')) t
               WHERE NOT EXISTS (SELECT FROM tasker.rolled r WHERE r.stretch = g.stretch)
    UNION ALL SELECT t.task_uuid FROM tasker.tasks t WHERE t.task_uuid >= tasker._uuid_at(v_last));
END $$;
