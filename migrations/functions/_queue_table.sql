-- tasker._queue_table(namespace): the table of its queue, by PGMQ's rule (pgmq.format_table_name). A namespace's name needs no quotes.
CREATE OR REPLACE FUNCTION tasker._queue_table(p_namespace text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 'pgmq.q_' || lower(tasker.queue_name(p_namespace)) $$;
