-- Who paused a template or a namespace, why and since when: tasks that come later have nothing of it in their history. NULL: not paused, or before this was kept.
ALTER TABLE tasker.named_tasks ADD COLUMN paused_by text, ADD COLUMN paused_reason text, ADD COLUMN paused_at timestamptz;
ALTER TABLE tasker.namespaces ADD COLUMN paused_by text, ADD COLUMN paused_reason text, ADD COLUMN paused_at timestamptz;
