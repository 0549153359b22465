-- A step that lay in its queue for too long may be tried again like one whose handler took too long (docs/time.md), and pauses may be all alike (docs/templates.md).
ALTER TABLE tasker.template_steps
  DROP CONSTRAINT template_steps_on_queue_timeout_check, ADD CHECK (on_queue_timeout IN ('retry', 'error', 'cancel')), -- NULL: error
  DROP CONSTRAINT template_steps_backoff_check, ADD CHECK (backoff IN ('none', 'fixed', 'linear', 'exponential', 'fibonacci'));
