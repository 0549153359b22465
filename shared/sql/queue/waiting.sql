-- Which queues have visible messages, how many and how old, and when the next hidden one appears.
-- in:  $1 text[] namespaces
-- out: namespace text, visible bool, next_visible_at timestamptz, lost bool, waiting int4, oldest_at timestamptz (0..n rows)
SELECT namespace, visible, next_visible_at, lost, waiting, oldest_at FROM tasker.queue_waiting($1);
