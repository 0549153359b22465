-- Which queues have visible messages, and when the next hidden one appears.
-- in:  $1 text[] namespaces
-- out: namespace text, visible bool, next_visible_at timestamptz (0..n rows)
SELECT namespace, visible, next_visible_at FROM tasker.queue_waiting($1);
