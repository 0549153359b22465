-- tasker._matching_tasks(filters…): the tasks that match every filter that is not NULL; versions: their uuids (named_tasks). A status is a task state,
-- or one of the contract's two words: 'completed' (complete) and 'pending' (not at an end).
-- Inlined into the caller's statement, so that each combination of filters gets a plan of its own. Ids are made by other clocks than
-- created_at, so the range of ids is a day wider on either side.
DROP FUNCTION IF EXISTS tasker._matching_tasks(text, text, text, text, uuid[], text, uuid, timestamptz, timestamptz); -- before parent correlation
CREATE OR REPLACE FUNCTION tasker._matching_tasks(p_namespace text, p_status text, p_initiator text, p_source text, p_versions uuid[], p_tag text,
                                                  p_correlation uuid, p_parent uuid, p_after timestamptz, p_before timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE AS $$
  SELECT t.task_uuid
    FROM tasker.tasks t
   WHERE (p_namespace IS NULL OR t.namespace = p_namespace)
     AND (p_initiator IS NULL OR t.initiator = p_initiator)
     AND (p_source IS NULL OR t.source_system = p_source)
     AND (p_versions IS NULL OR t.named_task_uuid = ANY (p_versions))
     AND (p_tag IS NULL OR (t.tags <> '[]' AND t.tags @> to_jsonb(p_tag)))
     AND (p_correlation IS NULL OR t.correlation_id = p_correlation)
     AND (p_parent IS NULL OR t.parent_correlation_id = p_parent)
     AND (p_after IS NULL OR (t.created_at >= p_after AND t.task_uuid >= tasker._uuid_at(p_after - interval '1 day')))
     AND (p_before IS NULL OR (t.created_at < p_before AND t.task_uuid < tasker._uuid_at(p_before + interval '1 day')))
     AND (p_status IS NULL OR t.state::text = p_status
          OR (p_status = 'completed' AND t.state = 'complete')
          OR (p_status = 'pending' AND t.state NOT IN ('complete', 'error', 'cancelled', 'resolved_manually')))
$$;
