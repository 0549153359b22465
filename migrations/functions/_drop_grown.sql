-- tasker._drop_grown(task, steps): these steps are about to run again. Decisions and analyzers among them will speak anew, so what would not be
-- there without what they said is dropped: kept by name in superseded_steps, with results and history as they are.
--   Stays is, of what is below them, what a decision that does not run again has named; instances whose analyzer does not; a decision about nothing but
--   decisions one of which does not and has opened branches; and whatever depends on something that stays and was made at run time too, or was there from
--   the start if it is a convergence that is made in the end of what there is.
--   What stays waits for the sources that may bring it parents again (a hold).
-- Returns the steps that are left. Locks: the caller holds the task row, has begun the new generation, and has deleted messages and timers of the steps.
-- Writes: workflow_steps, workflow_step_edges, superseded_steps, tasks (total_steps).
CREATE OR REPLACE FUNCTION tasker._drop_grown(p_task uuid, p_steps uuid[]) RETURNS uuid[]
LANGUAGE plpgsql AS $$
DECLARE
  v_task    tasker.tasks;
  v_source  uuid[];
  v_unsure  uuid[];  -- made at run time, below a source
  v_stays   uuid[];
  v_drop    uuid[];
BEGIN
  SELECT * INTO v_task FROM tasker.tasks t WHERE t.task_uuid = p_task;
  SELECT array_agg(s.workflow_step_uuid) INTO v_source
    FROM tasker.workflow_steps s JOIN tasker.template_steps ts ON ts.digest = v_task.template_digest AND ts.step_no = s.step_no
   WHERE s.workflow_step_uuid = ANY (p_steps) AND ts.step_type IN ('decision', 'batchable');
  IF v_source IS NULL THEN RETURN p_steps; END IF;

  SELECT array_agg(DISTINCT b.step) INTO v_unsure
    FROM tasker._below(p_task, v_source) b
    JOIN tasker.workflow_steps s ON s.workflow_step_uuid = b.step
    JOIN tasker.template_steps ts ON ts.digest = v_task.template_digest AND ts.step_no = s.step_no AND NOT ts.created_at_start
   WHERE b.step <> b.source;
  IF v_unsure IS NULL THEN RETURN p_steps; END IF;

  WITH RECURSIVE speaks AS ( -- decisions that named something and do not run again
    SELECT n.decision, n.step FROM tasker._named(p_task) n WHERE NOT n.decision = ANY (p_steps)
  ), declared AS ( -- an edge that is none in the template is a hold: nothing hangs on it
    SELECT e.from_step_uuid AS above, f.step_type AS above_type, f.created_at_start AS above_start, e.to_step_uuid AS step, s.step_type,
           bool_and(p.step_type = 'decision') AS on_decisions, bool_or(p.step_type <> 'decision' AND NOT p.created_at_start) AS dynamic
      FROM tasker.workflow_step_edges e
      JOIN tasker.workflow_steps fs ON fs.workflow_step_uuid = e.from_step_uuid
      JOIN tasker.workflow_steps ss ON ss.workflow_step_uuid = e.to_step_uuid
      JOIN tasker.template_edges te ON te.digest = v_task.template_digest AND te.from_no = fs.step_no AND te.to_no = ss.step_no
      JOIN tasker.template_steps f ON f.digest = te.digest AND f.step_no = te.from_no
      JOIN tasker.template_steps s ON s.digest = te.digest AND s.step_no = te.to_no
      JOIN tasker.template_edges pe ON pe.digest = te.digest AND pe.to_no = te.to_no
      JOIN tasker.template_steps p ON p.digest = te.digest AND p.step_no = pe.from_no
     WHERE e.to_step_uuid = ANY (v_unsure)
     GROUP BY e.from_step_uuid, f.step_type, f.created_at_start, e.to_step_uuid, s.step_type
  ), hangs AS (
    SELECT d.above, d.step FROM declared d
     WHERE d.step_type <> 'batch_worker' AND d.above_type <> 'decision' AND (NOT d.above_start OR (d.step_type = 'deferred_convergence' AND d.dynamic))
  ), stays AS (
    SELECT u AS step FROM unnest(v_unsure) u
     WHERE EXISTS (SELECT 1 FROM speaks WHERE speaks.step = u)
        OR EXISTS (SELECT 1 FROM hangs h WHERE h.step = u AND NOT h.above = ANY (v_unsure))
        OR EXISTS (SELECT 1 FROM declared d WHERE d.step = u AND NOT d.above = ANY (p_steps)
                      AND (d.step_type = 'batch_worker' AND d.above_type = 'batchable'
                           OR d.step_type = 'decision' AND d.on_decisions AND d.above IN (SELECT decision FROM speaks)))
    UNION SELECT h.step FROM stays JOIN hangs h ON h.above = stays.step)
  SELECT coalesce(array_agg(step), '{}') INTO v_stays FROM stays;
  v_drop := array(SELECT u FROM unnest(v_unsure) u WHERE NOT u = ANY (v_stays));

  INSERT INTO tasker.workflow_step_edges (from_step_uuid, to_step_uuid)
  SELECT DISTINCT b.source, e.to_step_uuid
    FROM tasker._below(p_task, array(SELECT u FROM unnest(v_source) u WHERE NOT u = ANY (v_drop))) b
    JOIN tasker.workflow_step_edges e ON e.from_step_uuid = b.step
   WHERE b.step = ANY (v_drop) AND NOT e.to_step_uuid = ANY (v_drop) AND e.to_step_uuid <> b.source
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
