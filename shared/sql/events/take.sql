-- Events that wait for a look at their schema.
-- in:  $1 int4 limit
-- out: event_no int8, schema text, payload text, name text, namespace text, task_uuid text, step_uuid text (0..n rows)
SELECT event_no, schema, payload, name, namespace, task_uuid, step_uuid FROM tasker.take_events($1);
