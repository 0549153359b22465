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
