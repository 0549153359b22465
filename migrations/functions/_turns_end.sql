-- tasker._turns_end(now): a visible message with an earlier vt waits for its turn (tasker._turn); one with a later vt was with a worker
-- whose lease has ended, or was sent by somebody else.
CREATE OR REPLACE FUNCTION tasker._turns_end(p_now timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT p_now - interval '438000 hours' $$;
