-- The tags of tasks, in an order that a page of a list can follow: of the tasks with a tag, the next ones by id. What a GIN index finds it finds unordered, and a page of a tag
-- that was last used five million tasks ago took seconds. Written by create_tasks for tasks that have tags, read by _next_tasks, compared by check_consistency.
CREATE TABLE tasker.task_tags (
  tag       text COLLATE "C" NOT NULL, -- of 255 bytes at most (task_request.c)
  task_uuid uuid NOT NULL,
  PRIMARY KEY (tag, task_uuid)
);
INSERT INTO tasker.task_tags SELECT DISTINCT x, t.task_uuid FROM tasker.tasks t, jsonb_array_elements_text(t.tags) x WHERE t.tags <> '[]';
DROP INDEX tasker.tasks_tags;
