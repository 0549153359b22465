-- tasker._history_tables(): the append-only tables, in the order in which they are locked. Each is partitioned by task_uuid.
CREATE OR REPLACE FUNCTION tasker._history_tables() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY['step_results', 'workflow_step_transitions', 'task_transitions']
$$;
