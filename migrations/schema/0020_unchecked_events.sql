-- Durable domain events that the orchestrator published itself and whose declarations have a schema: an orchestrator looks at them right after the commit
-- (tasker.take_events), and those that fit go to their queue. Empty but for that moment.
CREATE TABLE tasker.unchecked_events (
  event_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_uuid uuid NOT NULL,
  schema    jsonb NOT NULL,
  event     jsonb NOT NULL
);
