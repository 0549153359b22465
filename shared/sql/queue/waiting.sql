-- Which queues have visible messages, how many and how old, when the next hidden one appears, and the weights of the namespaces.
-- in:  $1 text[] namespaces
-- out: namespace text, visible bool, lost bool, waiting int4, oldest_at timestamptz, weight int4 (0..n rows)
SELECT namespace, visible, lost, waiting, oldest_at, weight FROM tasker.queue_waiting($1);
