-- Graphs that grow: steps that come into being while their task runs (docs/design/growth.md).
ALTER TABLE tasker.workflow_steps
  ADD COLUMN instance   int NOT NULL DEFAULT 0,          -- of a batch_worker step: from 1; all others: 0
  ADD COLUMN no_room    boolean NOT NULL DEFAULT false,  -- waits for room in the window of its batch; counts as one unmet parent
  ADD COLUMN inputs     json,                            -- of an instance: settings, cursor, batch_metadata
  ADD COLUMN checkpoint json;                            -- the last one its handler left: {cursor, items_processed, timestamp, accumulated_results, history}
DROP INDEX tasker.workflow_steps_task;
CREATE UNIQUE INDEX workflow_steps_task ON tasker.workflow_steps (task_uuid, step_no, instance);

-- Assignments carry both.
ALTER TYPE tasker.engine_row ADD ATTRIBUTE step_inputs text, ADD ATTRIBUTE checkpoint text;
