-- To find the tasks that another one caused. Tasks without a parent, the most, are not in it; it never changes.
CREATE INDEX IF NOT EXISTS tasks_parent_correlation ON tasker.tasks (parent_correlation_id) WHERE parent_correlation_id IS NOT NULL;

-- Analytics, added up once. The tasks whose ids were made in one stretch of five minutes, without those that had not ended when it was done: these
-- are counted from their rows until the stretch is looked at again. Nothing of this is written by the engine's own statements.
CREATE TABLE tasker.rolled (
  stretch   timestamptz PRIMARY KEY,           -- from here five minutes
  tasks     int NOT NULL,                      -- all that began in it
  left_out  uuid[] NOT NULL,                   -- of these, not added up
  rolled_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE tasker.rolled_tasks (
  stretch          timestamptz NOT NULL REFERENCES tasker.rolled ON DELETE CASCADE,
  named_task_uuid  uuid NOT NULL,
  tasks            bigint NOT NULL,
  runs             bigint NOT NULL,            -- complete, error or blocked
  completed        bigint NOT NULL,
  complete_seconds numeric NOT NULL,
  seconds          numeric NOT NULL,
  seconds_max      numeric,
  steps            bigint NOT NULL,
  last             timestamptz,
  PRIMARY KEY (stretch, named_task_uuid)
);
CREATE TABLE tasker.rolled_steps (
  stretch          timestamptz NOT NULL REFERENCES tasker.rolled ON DELETE CASCADE,
  named_task_uuid  uuid NOT NULL,
  step             text NOT NULL,              -- as its template calls it: the instances of a batch together
  runs             bigint NOT NULL,            -- complete or error
  failed           bigint NOT NULL,
  complete_seconds numeric NOT NULL,
  seconds          numeric NOT NULL,
  seconds_max      numeric NOT NULL,
  last             timestamptz NOT NULL,
  PRIMARY KEY (stretch, named_task_uuid, step)
);
CREATE TABLE tasker.rolled_states (
  stretch timestamptz NOT NULL REFERENCES tasker.rolled ON DELETE CASCADE,
  kind    text NOT NULL,                       -- task or step
  state   text NOT NULL,
  n       bigint NOT NULL,
  PRIMARY KEY (stretch, kind, state)
);
-- Every stretch before `until` is rolled or empty; those before `looked_at` were looked at again a day later. One row.
CREATE TABLE tasker.rolled_until (until timestamptz NOT NULL, looked_at timestamptz NOT NULL);
INSERT INTO tasker.rolled_until VALUES ('2020-01-01T00:00:00Z', date_bin('5 minutes', clock_timestamp(), '2020-01-01T00:00:00Z'));
