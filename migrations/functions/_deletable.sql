-- tasker._deletable(tasks): those that nothing needs any more: ended, no pending dead letter, no parent or child at work or waiting, and added up for analytics for
-- good, that is after roll_up's second look. Whoever deletes holds the task rows and roll_up's lock. Locks: none.
CREATE OR REPLACE FUNCTION tasker._deletable(p_tasks uuid[]) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
  SELECT t.task_uuid
    FROM tasker.rolled_until u, unnest(p_tasks) p(task)
    JOIN tasker.tasks t ON t.task_uuid = p.task
    CROSS JOIN LATERAL (SELECT tasker._stretch(tasker._uuid_time(t.task_uuid)) AS stretch) x
   WHERE t.state IN ('complete', 'error', 'cancelled', 'resolved_manually') AND t.active_steps = 0
     AND NOT EXISTS (SELECT FROM tasker.dead_letters d WHERE d.task_uuid = t.task_uuid AND d.resolution_status = 'pending')
     AND NOT EXISTS (SELECT FROM tasker.sub_task_dues d WHERE d.child_uuid = t.task_uuid)
     AND NOT EXISTS (SELECT FROM tasker.sub_tasks st WHERE st.child_uuid = t.task_uuid
                        AND (st.outcome IS NULL OR EXISTS (SELECT FROM tasker.open_tasks o WHERE o.task_uuid = st.parent_uuid)))
     AND NOT EXISTS (SELECT FROM tasker.sub_tasks st WHERE st.parent_uuid = t.task_uuid
                        AND (st.outcome IS NULL OR EXISTS (SELECT FROM tasker.open_tasks o WHERE o.task_uuid = st.child_uuid)))
     AND x.stretch < u.looked_at AND (x.stretch < u.until OR EXISTS (SELECT FROM tasker.rolled r WHERE r.stretch = x.stretch))
$$;
