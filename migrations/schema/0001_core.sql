-- The tables of the engine. Rules behind them: docs/design/database.md.
--   * The task row is the lock of its graph.
--   * No index mentions a column that changes per step, so that hot rows stay heap-only updatable; fillfactor leaves room.
--   * No foreign keys between hot tables: each would cost a lock per row; tasker.check_consistency() proves what they would.
CREATE SCHEMA IF NOT EXISTS tasker;

CREATE TYPE tasker.task_state AS ENUM (
  'pending', 'initializing', 'enqueuing_steps', 'steps_in_process', 'evaluating_results', 'waiting_for_dependencies',
  'waiting_for_retry', 'blocked_by_failures', 'complete', 'error', 'cancelled', 'resolved_manually');

CREATE TYPE tasker.step_state AS ENUM (
  'pending', 'enqueued', 'in_progress', 'enqueued_for_orchestration', 'enqueued_as_error_for_orchestration',
  'waiting_for_retry', 'complete', 'error', 'cancelled', 'resolved_manually');

-- ---- Templates: immutable by digest ----

CREATE TABLE tasker.namespaces (
  namespace_uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name           text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z_][A-Za-z0-9_]{0,28}$'),
  description    text,
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE tasker.templates (
  digest     text PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
  body       jsonb NOT NULL,
  step_count int NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE tasker.named_tasks (
  named_task_uuid   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  namespace_uuid    uuid NOT NULL REFERENCES tasker.namespaces,
  name              text NOT NULL,
  version           text NOT NULL,
  description       text,
  digest            text NOT NULL REFERENCES tasker.templates,
  identity_strategy text NOT NULL DEFAULT 'strict' CHECK (identity_strategy IN ('strict', 'caller_provided', 'always_unique')),
  created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at        timestamptz,
  UNIQUE (namespace_uuid, name, version)
);
CREATE INDEX named_tasks_digest ON tasker.named_tasks (digest);

CREATE TABLE tasker.template_steps (
  digest           text NOT NULL REFERENCES tasker.templates,
  step_no          smallint NOT NULL,
  name             text NOT NULL,
  named_step_uuid  uuid NOT NULL,
  step_type        text NOT NULL,
  retryable        boolean NOT NULL,
  max_attempts     smallint NOT NULL,
  backoff          text NOT NULL CHECK (backoff IN ('none', 'linear', 'exponential', 'fibonacci')),
  backoff_base_ms  int NOT NULL,
  backoff_max_ms   int NOT NULL,
  timeout_ms       int,
  parents          smallint NOT NULL,
  ancestors        smallint[] NOT NULL,   -- nearest first, at most 32: whose results travel with an assignment
  ancestors_all    int NOT NULL,          -- how many there are
  created_at_start boolean NOT NULL,
  start_pos        int,                   -- 1-based place among the steps created at start; NULL for the others
  PRIMARY KEY (digest, step_no),
  UNIQUE (digest, name)
);

CREATE TABLE tasker.template_edges (
  digest  text NOT NULL REFERENCES tasker.templates,
  from_no smallint NOT NULL,
  to_no   smallint NOT NULL,
  PRIMARY KEY (digest, from_no, to_no)
);

-- ---- Tasks and their graphs ----

CREATE TABLE tasker.tasks (
  task_uuid             uuid PRIMARY KEY,
  named_task_uuid       uuid NOT NULL,
  template_digest       text NOT NULL,
  namespace             text NOT NULL,
  state                 tasker.task_state NOT NULL,
  priority              int NOT NULL DEFAULT 0,
  total_steps           int NOT NULL,
  open_steps            int NOT NULL,       -- not complete, resolved_manually or cancelled
  failed_steps          int NOT NULL DEFAULT 0, -- error
  active_steps          int NOT NULL DEFAULT 0, -- enqueued or in_progress
  retry_steps           int NOT NULL DEFAULT 0, -- waiting_for_retry
  correlation_id        uuid NOT NULL,
  parent_correlation_id uuid,
  initiator             text,
  source_system         text,
  reason                text,
  tags                  jsonb NOT NULL DEFAULT '[]',
  context               jsonb NOT NULL,
  identity_hash         bytea NOT NULL,
  requested_at          timestamptz NOT NULL,
  created_at            timestamptz NOT NULL,
  updated_at            timestamptz,
  completed_at          timestamptz
) WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX tasks_identity ON tasker.tasks (identity_hash);
CREATE INDEX tasks_namespace ON tasker.tasks (namespace, task_uuid);
CREATE INDEX tasks_correlation ON tasker.tasks (correlation_id);
CREATE INDEX tasks_template ON tasker.tasks (named_task_uuid, task_uuid);

-- Tasks not yet at an end: small, so that nobody has to index a state that changes.
CREATE TABLE tasker.open_tasks (
  task_uuid  uuid PRIMARY KEY,
  namespace  text NOT NULL,
  created_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE tasker.workflow_steps (
  workflow_step_uuid uuid PRIMARY KEY,
  task_uuid          uuid NOT NULL,
  step_no            smallint NOT NULL,
  state              tasker.step_state NOT NULL,
  unmet_parents      int NOT NULL,
  attempts           smallint NOT NULL DEFAULT 0, -- grows with every hand-over: with the uuid the identity of an execution
  forgiven           smallint NOT NULL DEFAULT 0, -- of these, not counted against max_attempts: never sent, or worker lost
  losses             smallint NOT NULL DEFAULT 0, -- workers lost while running it
  max_attempts       smallint NOT NULL,
  retryable          boolean NOT NULL,
  msg_id             bigint,                      -- its queue message while enqueued or in_progress: the lease token
  created_at         timestamptz NOT NULL,
  updated_at         timestamptz,
  dispatched_at      timestamptz,
  settled_at         timestamptz,
  next_retry_at      timestamptz,
  last_failure_at    timestamptz,
  name               text NOT NULL
) WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX workflow_steps_task ON tasker.workflow_steps (task_uuid, step_no);

CREATE TABLE tasker.workflow_step_edges (
  from_step_uuid uuid NOT NULL,
  to_step_uuid   uuid NOT NULL,
  PRIMARY KEY (from_step_uuid, to_step_uuid)
);
CREATE INDEX workflow_step_edges_to ON tasker.workflow_step_edges (to_step_uuid);

-- Every result a worker handed in, once per attempt: the audit trail. json keeps the bytes and costs less than jsonb.
CREATE TABLE tasker.step_results (
  workflow_step_uuid uuid NOT NULL,
  attempt            smallint NOT NULL,
  task_uuid          uuid NOT NULL,
  success            boolean NOT NULL,
  execution_time_ms  int,
  worker_id          text,
  result             json NOT NULL,
  recorded_at        timestamptz NOT NULL,
  PRIMARY KEY (workflow_step_uuid, attempt)
);

-- Retry timers; whoever looks first after due_at fires them.
CREATE TABLE tasker.step_timers (
  workflow_step_uuid uuid PRIMARY KEY,
  task_uuid          uuid NOT NULL,
  due_at             timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX step_timers_due ON tasker.step_timers (due_at);

-- ---- History: append-only ----

CREATE TABLE tasker.task_transitions (
  task_uuid      uuid NOT NULL,
  from_state     tasker.task_state,
  to_state       tasker.task_state NOT NULL,
  at             timestamptz NOT NULL,
  processor_uuid uuid,
  metadata       jsonb
);
CREATE INDEX task_transitions_task ON tasker.task_transitions (task_uuid);

CREATE TABLE tasker.workflow_step_transitions (
  workflow_step_uuid uuid NOT NULL,
  task_uuid          uuid NOT NULL,
  from_state         tasker.step_state,
  to_state           tasker.step_state NOT NULL,
  attempt            smallint NOT NULL,
  at                 timestamptz NOT NULL,
  actor              text,
  reason             text
);
CREATE INDEX workflow_step_transitions_step ON tasker.workflow_step_transitions (workflow_step_uuid);

-- What every engine function answers with: one shape, so that one reader serves all. Columns after due_at are those of an
-- assignment; other kinds use some of them (docs/design/database.md has the table).
CREATE TYPE tasker.engine_row AS (
  kind text, idx int, due_at timestamptz,
  step_uuid uuid, task_uuid uuid, attempt int, msg_id bigint, namespace text, step_no int, step_name text,
  named_task_uuid uuid, template_digest text, correlation_id uuid, parent_correlation_id uuid, priority int,
  retry_count int, max_attempts int, retryable boolean, initiator text, source_system text, reason text,
  requested_at timestamptz, context text, dependency_results text, dependencies_complete boolean);
