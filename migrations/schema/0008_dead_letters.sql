-- The dead-letter queue: tasks that do not come to their end by themselves, and what people found out and did about each
-- (docs/dead-letters.md). An entry points at its task and never holds it up; of one task at most one is pending.
CREATE TYPE tasker.dlq_reason AS ENUM ('staleness_timeout', 'max_retries_exceeded', 'dependency_cycle_detected', 'worker_unavailable', 'manual_dlq');
CREATE TYPE tasker.dlq_resolution AS ENUM ('pending', 'manually_resolved', 'permanently_failed', 'cancelled');

CREATE TABLE tasker.dead_letters (
  dlq_entry_uuid       uuid PRIMARY KEY,             -- version 7: in the order they were made
  task_uuid            uuid NOT NULL,                -- no foreign key: its trigger would weigh on every update of tasks
  original_state       tasker.task_state NOT NULL,   -- of the task when it was made
  dlq_reason           tasker.dlq_reason NOT NULL,
  dlq_timestamp        timestamptz NOT NULL,
  resolution_status    tasker.dlq_resolution NOT NULL DEFAULT 'pending',
  resolution_timestamp timestamptz,
  resolution_notes     text,
  resolved_by          text,
  revived              boolean NOT NULL DEFAULT false, -- closed by setting its task going again
  task_snapshot        jsonb NOT NULL,
  metadata             jsonb,
  created_at           timestamptz NOT NULL,
  updated_at           timestamptz NOT NULL
);
CREATE UNIQUE INDEX dead_letters_pending ON tasker.dead_letters (task_uuid) WHERE resolution_status = 'pending';
CREATE INDEX dead_letters_task ON tasker.dead_letters (task_uuid, created_at);
CREATE INDEX dead_letters_time ON tasker.dead_letters (dlq_timestamp, dlq_entry_uuid);
CREATE INDEX dead_letters_queue ON tasker.dead_letters (dlq_reason, dlq_timestamp) WHERE resolution_status = 'pending';
CREATE INDEX dead_letters_pages ON tasker.dead_letters (dlq_entry_uuid) WHERE resolution_status = 'pending';
