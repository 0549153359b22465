-- tasker.weigh_namespace(namespace, weight, actor, reason): sets the weight of a namespace, and who did it and why. Saying the same again changes nothing.
-- Returns 'weighed', 'unchanged' or 'unknown'. Orchestrators see it with their next look at the queues (queue_waiting).
CREATE OR REPLACE FUNCTION tasker.weigh_namespace(p_ns text, p_weight int, p_actor text, p_reason text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tasker.namespaces ns SET weight = p_weight, weight_by = p_actor, weight_reason = p_reason, weight_at = clock_timestamp()
   WHERE ns.name = p_ns AND ns.weight <> p_weight;
  IF FOUND THEN RETURN 'weighed'; END IF;
  RETURN CASE WHEN EXISTS (SELECT FROM tasker.namespaces ns WHERE ns.name = p_ns) THEN 'unchanged' ELSE 'unknown' END;
END $$;
