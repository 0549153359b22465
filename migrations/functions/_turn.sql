-- tasker._turn(now, aging, turn, steps, priority, ahead): the vt under which a step waits in its queue. Queues are read in the order of vt, so
-- this is the step's turn: the moment it began to wait, earlier by `aging` seconds for each level of priority, later by `turn` seconds for
-- every `steps` steps its own task has ahead of it. Whoever waits comes nearer by the second, so nothing starves, and what was decided when
-- the message was sent costs nothing when it is read (docs/design/fairness.md).
-- All of it 100 years ago: a message that waits is always visible, and none looks like one whose lease has ended (tasker._turns_end).
-- Pure and inlined. Priorities past ±1000 count as these, a task's own steps for ten years at most.
CREATE OR REPLACE FUNCTION tasker._turn(p_now timestamptz, p_aging float8, p_turn float8, p_steps float8, p_priority int, p_ahead bigint) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT p_now - interval '876000 hours'
         + (least(floor(p_ahead / p_steps) * p_turn, 315360000) - least(greatest(p_priority, -1000), 1000) * p_aging) * interval '1 second'
$$;
