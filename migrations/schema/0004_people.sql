-- What people decide: tasks that are held, templates and namespaces whose new tasks are, and tasks run again from a step.
ALTER TABLE tasker.tasks
  ADD COLUMN held       smallint NOT NULL DEFAULT 0,  -- why nothing new of it is dispatched, as bits: 1 itself, 2 its template, 4 its namespace is paused
  ADD COLUMN generation smallint NOT NULL DEFAULT 0;  -- how often it was run again from a step
ALTER TABLE tasker.named_tasks ADD COLUMN paused boolean NOT NULL DEFAULT false;
ALTER TABLE tasker.namespaces ADD COLUMN paused boolean NOT NULL DEFAULT false;
ALTER TABLE tasker.workflow_steps
  ADD COLUMN results_after smallint NOT NULL DEFAULT 0; -- results of this attempt and before are of an earlier generation: history only

CREATE TABLE tasker.task_generations (
  task_uuid  uuid NOT NULL,
  generation smallint NOT NULL,
  from_step  uuid NOT NULL,      -- it and all steps below it ran again
  at         timestamptz NOT NULL,
  actor      text NOT NULL,
  reason     text NOT NULL,
  context    jsonb,              -- the task's input before, when it was changed
  PRIMARY KEY (task_uuid, generation)
);

-- To find tasks by tag. Tasks without tags, the most, are not in it; tags never change.
CREATE INDEX tasks_tags ON tasker.tasks USING gin (tags) WHERE tags <> '[]';
