-- Sub-tasks: a step may start another task and wait for it (docs/sub-tasks.md). While it waits it is enqueued_for_orchestration: its worker
-- has handed in what there is to hand in, and no message, lease or timer belongs to it.
CREATE TABLE tasker.sub_tasks (
  child_uuid   uuid PRIMARY KEY,
  parent_uuid  uuid NOT NULL,       -- the task whose step waits
  step_uuid    uuid NOT NULL,
  attempt      smallint NOT NULL,   -- of the step: each starts one child at most
  depth        smallint NOT NULL,   -- 1: its parent was started by nobody
  wait_blocked boolean NOT NULL,    -- a child blocked by failures is waited for until a person has seen to it; false: it has failed
  outcome      text CHECK (outcome IN ('complete', 'failed', 'cancelled', 'called_off')), -- what the step was told; NULL: it waits
  worker_id    text,                -- of the attempt: who, how long and when, for the result that is stored in the end
  exec_ms      int,
  stages       bigint[],
  created_at   timestamptz NOT NULL,
  settled_at   timestamptz,
  UNIQUE (step_uuid, attempt)
) WITH (fillfactor = 80);
CREATE INDEX sub_tasks_parent ON tasker.sub_tasks (parent_uuid);

-- Children to be looked at: they have ended, or their parent does not wait any more. Written in the transaction that makes it so, taken in
-- one that locks both tasks: so nobody has to lock a second task out of order. Short: mostly empty.
CREATE TABLE tasker.sub_task_dues (
  child_uuid uuid PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Whoever has a parent or children: the end of such a task is somebody else's business (tasker._relatives_due).
ALTER TABLE tasker.open_tasks ADD COLUMN related boolean NOT NULL DEFAULT false;

-- Steps that were made at run time and dropped when what had brought them ran again (tasker._drop_grown). Their results and history stay where
-- they are, under their uuid.
CREATE TABLE tasker.superseded_steps (
  workflow_step_uuid uuid PRIMARY KEY,
  task_uuid          uuid NOT NULL,
  generation         smallint NOT NULL, -- the one they belonged to
  step_no            smallint NOT NULL,
  instance           int NOT NULL,
  name               text NOT NULL,
  state              tasker.step_state NOT NULL, -- in which they were dropped
  attempts           smallint NOT NULL,
  created_at         timestamptz NOT NULL,
  settled_at         timestamptz
);
CREATE INDEX superseded_steps_task ON tasker.superseded_steps (task_uuid);
