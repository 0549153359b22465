-- How far the orchestrators have come with applying the policies (tasker.retention_turn). One row: whoever holds it, until held_until, goes on at (namespace, after_uuid);
-- namespace NULL: nothing is at work, and it begins anew when it is due.
CREATE TABLE tasker.retention_run (
  one        boolean PRIMARY KEY DEFAULT true CHECK (one),
  due_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  holder     uuid,
  held_until timestamptz,
  namespace  text,
  after_uuid uuid,
  began_at   timestamptz,
  tasks      bigint NOT NULL DEFAULT 0, -- deleted by the run at work, or the last one
  steps      bigint NOT NULL DEFAULT 0,
  ended_at   timestamptz                -- of the last run that came to its end
);
INSERT INTO tasker.retention_run DEFAULT VALUES;

-- Tasks that ended otherwise than complete, for lists by such a state: they are few among many, and an index on tasks.state would make every end of a task
-- rewrite all indices of its row. Written by whoever ends a task so (tasker._ended_otherwise), read by list_tasks, compared by check_consistency.
CREATE TABLE tasker.ended_otherwise (
  task_uuid uuid PRIMARY KEY,
  namespace text NOT NULL,
  state     tasker.task_state NOT NULL
);
CREATE INDEX ended_otherwise_state ON tasker.ended_otherwise (state, task_uuid);
CREATE INDEX ended_otherwise_namespace ON tasker.ended_otherwise (namespace, state, task_uuid);
INSERT INTO tasker.ended_otherwise SELECT t.task_uuid, t.namespace, t.state FROM tasker.tasks t WHERE t.state IN ('error', 'cancelled', 'resolved_manually');
