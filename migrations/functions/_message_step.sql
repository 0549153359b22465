-- tasker._message_step(message): the step a queue message is about; NULL when it is about none. Anybody may send to a queue,
-- so nothing about a message is taken for granted: one that cannot be read must not keep the others from being read. Pure.
CREATE OR REPLACE FUNCTION tasker._message_step(p_message jsonb) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN p_message->>'step_uuid' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN (p_message->>'step_uuid')::uuid END
$$;
