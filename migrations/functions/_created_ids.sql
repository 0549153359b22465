-- tasker._created_ids(after, before): the two ids between which the tasks lie that were created from `after` on and before `before`; NULL: no such bound. Ids carry the time
-- of an orchestrator's clock, created_at is the database's: the two may differ by an hour. Pure.
CREATE OR REPLACE FUNCTION tasker._created_ids(p_after timestamptz, p_before timestamptz) RETURNS uuid[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ARRAY[CASE WHEN p_after IS NULL THEN '00000000-0000-0000-0000-000000000000' ELSE tasker._uuid_at(p_after - interval '1 hour') END,
               CASE WHEN p_before IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff' ELSE tasker._uuid_at(p_before + interval '1 hour') END]
$$;
