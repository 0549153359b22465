-- History by month: the append-only tables are partitioned by the uuid of the task, which carries the moment the task was created, so
-- that letting a month go is dropping three partitions (docs/design/database.md). What was written before becomes the default
-- partition as it is; tasker.make_history_months, which every `tasker migrate` calls, moves its rows to the months they belong to.
ALTER TABLE tasker.step_results RENAME TO step_results_default;
ALTER TABLE tasker.step_results_default DROP CONSTRAINT step_results_pkey;
CREATE TABLE tasker.step_results (
  LIKE tasker.step_results_default,
  PRIMARY KEY (task_uuid, workflow_step_uuid, attempt)
) PARTITION BY RANGE (task_uuid);
ALTER TABLE tasker.step_results ATTACH PARTITION tasker.step_results_default DEFAULT;

ALTER TABLE tasker.workflow_step_transitions RENAME TO workflow_step_transitions_default;
ALTER INDEX tasker.workflow_step_transitions_step RENAME TO workflow_step_transitions_default_step;
CREATE TABLE tasker.workflow_step_transitions (LIKE tasker.workflow_step_transitions_default) PARTITION BY RANGE (task_uuid);
CREATE INDEX workflow_step_transitions_step ON tasker.workflow_step_transitions (workflow_step_uuid);
ALTER TABLE tasker.workflow_step_transitions ATTACH PARTITION tasker.workflow_step_transitions_default DEFAULT;

ALTER TABLE tasker.task_transitions RENAME TO task_transitions_default;
ALTER INDEX tasker.task_transitions_task RENAME TO task_transitions_default_task;
CREATE TABLE tasker.task_transitions (LIKE tasker.task_transitions_default) PARTITION BY RANGE (task_uuid);
CREATE INDEX task_transitions_task ON tasker.task_transitions (task_uuid);
ALTER TABLE tasker.task_transitions ATTACH PARTITION tasker.task_transitions_default DEFAULT;

-- Months whose history was let go: tasks from from_uuid up to, not including, to_uuid.
CREATE TABLE tasker.dropped_history (
  month      date PRIMARY KEY,
  from_uuid  uuid NOT NULL,
  to_uuid    uuid NOT NULL,
  tasks      bigint NOT NULL,
  bytes      bigint NOT NULL,
  dropped_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
