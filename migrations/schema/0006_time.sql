-- Time (docs/time.md): tasks that start later, tasks that may take only so long, steps that may lie in their queue only so long.
ALTER TABLE tasker.tasks
  ADD COLUMN run_at   timestamptz, -- nothing of it is dispatched before: held has bit 8 until then
  ADD COLUMN deadline timestamptz, -- not complete by then, it ends as its template's on_timeout says
  ADD COLUMN message  text;        -- why it ended otherwise than complete
-- When the next of both comes. It goes with the row when the task ends, so that a task that ends in time costs no statement more.
ALTER TABLE tasker.open_tasks ADD COLUMN due_at timestamptz;
CREATE INDEX open_tasks_due ON tasker.open_tasks (due_at) WHERE due_at IS NOT NULL;

ALTER TABLE tasker.named_tasks ADD COLUMN timeout_s int; -- a task of it may take so long, unless its request says otherwise
UPDATE tasker.named_tasks nt SET timeout_s = (t.body #>> '{lifecycle,max_duration_minutes}')::int * 60 FROM tasker.templates t
 WHERE t.digest = nt.digest AND jsonb_typeof(t.body #> '{lifecycle,max_duration_minutes}') = 'number';

ALTER TABLE tasker.template_steps
  ADD COLUMN on_timeout       text CHECK (on_timeout IN ('retry', 'error', 'cancel')),  -- NULL: retry
  ADD COLUMN queue_timeout_ms int,
  ADD COLUMN on_queue_timeout text CHECK (on_queue_timeout IN ('error', 'cancel'));     -- NULL: error
ALTER TABLE tasker.workflow_steps ADD COLUMN queue_timeout_ms int; -- longest time in the queue; NULL: for ever

-- Steps in a queue that are given up at due_at: one row per step that is enqueued and has a queue_timeout_ms.
CREATE TABLE tasker.queue_timers (
  workflow_step_uuid uuid PRIMARY KEY,
  task_uuid          uuid NOT NULL,
  due_at             timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX queue_timers_due ON tasker.queue_timers (due_at);
