-- tasker.queue_name(namespace): the PGMQ queue of a namespace's steps.
CREATE OR REPLACE FUNCTION tasker.queue_name(p_namespace text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 'worker_' || p_namespace || '_queue' $$;
