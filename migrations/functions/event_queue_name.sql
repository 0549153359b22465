-- tasker.event_queue_name(namespace): the PGMQ queue of a namespace's durable domain events.
CREATE OR REPLACE FUNCTION tasker.event_queue_name(p_namespace text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT p_namespace || '_domain_events' $$;
