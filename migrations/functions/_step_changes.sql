-- tasker._step_changes(task, most): the changes of a task's steps, those included that a rerun has dropped: [{at, step_uuid, name, from, to, attempt, actor, reason}],
-- oldest first, the newest p_most of them. What the engine does in the ordinary course is stored without an actor and a reason, because both follow
-- from the two states and the hot path would write them ten thousand times a second; here they are spelled out. Reads: history. Locks: none.
CREATE OR REPLACE FUNCTION tasker._step_changes(p_task uuid, p_most int) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    WITH steps AS (
      SELECT s.workflow_step_uuid AS step, s.name, s.step_no, s.instance FROM tasker.workflow_steps s WHERE s.task_uuid = p_task
      UNION ALL SELECT d.workflow_step_uuid, d.name, d.step_no, d.instance FROM tasker.superseded_steps d WHERE d.task_uuid = p_task
    ), newest AS (
      SELECT s.*, h.at, h.from_state::text AS was, h.to_state::text AS becomes, h.attempt, h.actor, h.reason
        FROM steps s CROSS JOIN LATERAL (SELECT h.* FROM tasker.workflow_step_transitions h
                                          WHERE h.workflow_step_uuid = s.step AND h.task_uuid = p_task OFFSET 0) h
       ORDER BY h.at DESC, s.step_no DESC LIMIT p_most
    ), ordinary (was, becomes, why) AS (
      VALUES ('pending', 'in_progress', 'ready, and a worker has room'),
             ('pending', 'enqueued', 'ready, and no worker has room'),
             ('enqueued', 'in_progress', 'its turn: a worker has room'),
             ('in_progress', 'complete', 'its handler succeeded'),
             ('in_progress', 'error', 'its handler failed for good'),
             ('in_progress', 'waiting_for_retry', 'its handler failed and is tried again'),
             ('in_progress', 'enqueued_for_orchestration', 'it waits for its sub-task'),
             ('enqueued_for_orchestration', 'complete', 'its sub-task has ended'),
             ('enqueued_for_orchestration', 'error', 'its sub-task did not succeed'),
             ('enqueued_for_orchestration', 'waiting_for_retry', 'its sub-task did not succeed and is tried again'),
             ('waiting_for_retry', 'in_progress', 'its pause has ended, and a worker has room'),
             ('waiting_for_retry', 'enqueued', 'its pause has ended, and no worker has room')
    )
    SELECT coalesce(json_agg(json_build_object('at', tasker.time_text(n.at, 'zoned'), 'step_uuid', n.step, 'name', n.name, 'from', n.was, 'to', n.becomes,
                                               'attempt', n.attempt, 'actor', coalesce(n.actor, 'tasker'), 'reason', coalesce(n.reason, n.otherwise, o.why))
                             ORDER BY n.at, n.step_no), '[]')
      FROM (SELECT x.*, CASE WHEN x.was = 'in_progress' AND x.actor IS NULL AND lag(x.actor) OVER (PARTITION BY x.step ORDER BY x.at) = 'timer' -- it gave the step up
                             THEN 'no worker took it in time' || CASE x.becomes WHEN 'waiting_for_retry' THEN ', and it is tried again' ELSE '' END
                             WHEN x.was = 'in_progress' AND x.becomes = 'complete' AND x.instance > 0 AND EXISTS ( -- continue_on_failure
                               SELECT 1 FROM tasker.step_results r WHERE r.workflow_step_uuid = x.step AND r.task_uuid = p_task AND r.attempt = x.attempt AND NOT r.success)
                             THEN 'its handler failed for good; its batch goes on without it' END AS otherwise
              FROM newest x) n LEFT JOIN ordinary o ON o.was = n.was AND o.becomes = n.becomes);
END $$;
