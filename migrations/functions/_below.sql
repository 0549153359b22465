-- tasker._below(task, steps): every step that depends on one of these, however far down, with the one it is below; each is below itself.
-- What a complete decision has named is below it, also when it waited for something else when it came and so has no edge from it.
-- Reads: workflow_steps, workflow_step_edges, templates, step_results. Locks: the caller holds the task row. Rare: reruns ask it.
CREATE OR REPLACE FUNCTION tasker._below(p_task uuid, p_steps uuid[]) RETURNS TABLE (source uuid, step uuid)
LANGUAGE sql STABLE AS $$
  WITH RECURSIVE named AS MATERIALIZED (
    SELECT n.decision, n.step FROM tasker._named(p_task) n
  ), below AS (
    SELECT s AS source, s AS step FROM unnest(p_steps) s
    UNION SELECT b.source, x.step
      FROM below b
     CROSS JOIN LATERAL (SELECT e.to_step_uuid AS step FROM tasker.workflow_step_edges e WHERE e.from_step_uuid = b.step
                         UNION ALL SELECT n.step FROM named n WHERE n.decision = b.step) x)
  SELECT b.source, b.step FROM below b
$$;
