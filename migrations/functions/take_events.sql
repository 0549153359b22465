-- tasker.take_events(limit): events that wait for a look at their schema, oldest first, those that nobody else looks at now. The caller is in a transaction and
-- says in it what it found (checked_events). Returns what is to be looked at, and what is told of one that does not fit. Locks: these rows.
CREATE OR REPLACE FUNCTION tasker.take_events(p_limit int)
RETURNS TABLE (event_no bigint, schema text, payload text, name text, namespace text, task_uuid text, step_uuid text) LANGUAGE sql AS $$
  SELECT u.event_no, u.schema::text, (u.event #> '{payload,payload}')::text, u.event ->> 'event_name', m ->> 'namespace', m ->> 'task_uuid', m ->> 'step_uuid'
    FROM (SELECT x.* FROM tasker.unchecked_events x ORDER BY x.event_no LIMIT p_limit FOR UPDATE SKIP LOCKED) u, LATERAL (SELECT u.event -> 'metadata') l(m)
   ORDER BY u.event_no
$$;
