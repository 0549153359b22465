-- tasker._drop_grown(task, steps): these steps are about to run again. Decisions and analyzers among them will speak anew, so what they brought is
-- dropped: kept by name in superseded_steps, with results and history as they are.
--   Dropped is, below a source among the steps, what it names or instances of its workers, and whatever hangs on nothing else.
--   Kept is what also depends on something that stays, a convergence over several sources for instance; it waits for the sources to speak (a hold).
-- Returns the steps that are left. Locks: the caller holds the task row, has begun the new generation, and has deleted messages and timers of the steps.
-- Writes: workflow_steps, workflow_step_edges, superseded_steps, tasks (total_steps).
CREATE OR REPLACE FUNCTION tasker._drop_grown(p_task uuid, p_steps uuid[]) RETURNS uuid[]
LANGUAGE plpgsql AS $$
DECLARE
  v_task    tasker.tasks;
  v_source  uuid[];
  v_below   uuid[];  -- dynamic ones below a source
  v_named   uuid[];  -- of these: brought by name, or as instances
  v_keep    uuid[];
  v_drop    uuid[];
BEGIN
  SELECT * INTO v_task FROM tasker.tasks t WHERE t.task_uuid = p_task;
  SELECT array_agg(s.workflow_step_uuid) INTO v_source
    FROM tasker.workflow_steps s JOIN tasker.template_steps ts ON ts.digest = v_task.template_digest AND ts.step_no = s.step_no
   WHERE s.workflow_step_uuid = ANY (p_steps) AND ts.step_type IN ('decision', 'batchable');
  IF v_source IS NULL THEN RETURN p_steps; END IF;

  WITH RECURSIVE below AS (
    SELECT e.to_step_uuid AS step FROM tasker.workflow_step_edges e WHERE e.from_step_uuid = ANY (v_source)
    UNION SELECT e.to_step_uuid FROM below JOIN tasker.workflow_step_edges e ON e.from_step_uuid = below.step)
  SELECT array_agg(b.step),
         array_agg(b.step) FILTER (WHERE ts.step_type = 'batch_worker' OR EXISTS (
           SELECT 1 FROM tasker.template_edges te
             JOIN tasker.template_steps f ON f.digest = te.digest AND f.step_no = te.from_no AND f.step_type = 'decision'
             JOIN tasker.workflow_steps fs ON fs.task_uuid = p_task AND fs.step_no = f.step_no AND fs.workflow_step_uuid = ANY (v_source)
            WHERE te.digest = v_task.template_digest AND te.to_no = s.step_no))
    INTO v_below, v_named
    FROM below b
    JOIN tasker.workflow_steps s ON s.workflow_step_uuid = b.step
    JOIN tasker.template_steps ts ON ts.digest = v_task.template_digest AND ts.step_no = s.step_no AND NOT ts.created_at_start;
  IF v_below IS NULL THEN RETURN p_steps; END IF;

  WITH RECURSIVE declared AS ( -- an edge that is none in the template is a hold: nothing hangs on it
    SELECT e.from_step_uuid AS above, e.to_step_uuid AS step
      FROM tasker.workflow_step_edges e
      JOIN tasker.workflow_steps f ON f.workflow_step_uuid = e.from_step_uuid
      JOIN tasker.workflow_steps s ON s.workflow_step_uuid = e.to_step_uuid
      JOIN tasker.template_edges te ON te.digest = v_task.template_digest AND te.from_no = f.step_no AND te.to_no = s.step_no
     WHERE e.to_step_uuid = ANY (v_below) AND NOT e.to_step_uuid = ANY (coalesce(v_named, '{}'))
  ), keep AS (
    SELECT d.step FROM declared d WHERE NOT d.above = ANY (v_below || v_source)
    UNION SELECT d.step FROM keep JOIN declared d ON d.above = keep.step)
  SELECT coalesce(array_agg(step), '{}') INTO v_keep FROM keep;
  v_drop := array(SELECT b.step FROM unnest(v_below) b(step) WHERE NOT b.step = ANY (v_keep));

  -- What is kept, whether it was made at run time or not, waits for the sources that may bring it parents: those whose branches it loses now.
  INSERT INTO tasker.workflow_step_edges (from_step_uuid, to_step_uuid)
  SELECT DISTINCT src.step, e.to_step_uuid
    FROM tasker.workflow_step_edges e CROSS JOIN unnest(v_source) src(step)
   WHERE e.from_step_uuid = ANY (v_drop) AND NOT e.to_step_uuid = ANY (v_drop) AND NOT src.step = ANY (v_drop) AND src.step <> e.to_step_uuid
     AND EXISTS (WITH RECURSIVE up AS (
                   SELECT e.from_step_uuid AS step
                   UNION SELECT a.from_step_uuid FROM up JOIN tasker.workflow_step_edges a ON a.to_step_uuid = up.step)
                 SELECT 1 FROM up WHERE up.step = src.step)
  ON CONFLICT DO NOTHING;
  INSERT INTO tasker.superseded_steps (workflow_step_uuid, task_uuid, generation, step_no, instance, name, state, attempts, created_at, settled_at)
  SELECT s.workflow_step_uuid, p_task, v_task.generation - 1, s.step_no, s.instance, s.name, s.state, s.attempts, s.created_at, s.settled_at
    FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = ANY (v_drop);
  DELETE FROM tasker.workflow_step_edges e WHERE e.from_step_uuid = ANY (v_drop);
  DELETE FROM tasker.workflow_step_edges e WHERE e.to_step_uuid = ANY (v_drop);
  DELETE FROM tasker.workflow_steps s WHERE s.workflow_step_uuid = ANY (v_drop);
  UPDATE tasker.tasks t SET total_steps = t.total_steps - cardinality(v_drop) WHERE t.task_uuid = p_task;
  RETURN array(SELECT u.step FROM unnest(p_steps) u(step) WHERE NOT u.step = ANY (v_drop));
END $$;
