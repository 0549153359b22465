-- tasker._roll_in(tasks): tasks are about to be deleted: those that roll_up left out are added to their stretches, so that analytics goes on counting them, and each
-- stretch knows that it can not be added up again. Locks: the caller holds the task rows and roll_up's lock.
CREATE OR REPLACE FUNCTION tasker._roll_in(p_tasks uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v record;
BEGIN
  FOR v IN
    SELECT r.stretch, array_agg(p.task) AS gone, array_agg(p.task) FILTER (WHERE p.task = ANY (r.left_out)) AS late
      FROM (SELECT u.task, tasker._stretch(tasker._uuid_time(u.task)) AS stretch FROM unnest(p_tasks) u(task)) p JOIN tasker.rolled r ON r.stretch = p.stretch
     GROUP BY r.stretch
  LOOP
    UPDATE tasker.rolled r SET gone = r.gone + cardinality(v.gone), left_out = array(SELECT o FROM unnest(r.left_out) o WHERE o <> ALL (v.gone))
     WHERE r.stretch = v.stretch;
    CONTINUE WHEN v.late IS NULL;
    INSERT INTO tasker.rolled_tasks AS r SELECT v.stretch, f.* FROM tasker._task_figures(v.late) f
    ON CONFLICT (stretch, named_task_uuid) DO UPDATE
       SET tasks = r.tasks + excluded.tasks, runs = r.runs + excluded.runs, completed = r.completed + excluded.completed,
           complete_seconds = r.complete_seconds + excluded.complete_seconds, seconds = r.seconds + excluded.seconds,
           seconds_max = greatest(r.seconds_max, excluded.seconds_max), steps = r.steps + excluded.steps, last = greatest(r.last, excluded.last);
    INSERT INTO tasker.rolled_states AS r SELECT v.stretch, f.* FROM tasker._state_figures(v.late) f
    ON CONFLICT (stretch, kind, state) DO UPDATE SET n = r.n + excluded.n;
    INSERT INTO tasker.rolled_steps AS r SELECT v.stretch, f.* FROM tasker._step_figures(v.late) f
    ON CONFLICT (stretch, named_task_uuid, step) DO UPDATE
       SET runs = r.runs + excluded.runs, failed = r.failed + excluded.failed, complete_seconds = r.complete_seconds + excluded.complete_seconds,
           seconds = r.seconds + excluded.seconds, seconds_max = greatest(r.seconds_max, excluded.seconds_max), last = greatest(r.last, excluded.last);
  END LOOP;
END $$;
