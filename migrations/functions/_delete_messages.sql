-- tasker._delete_messages(namespaces, ids): removes messages, one statement per namespace.
CREATE OR REPLACE FUNCTION tasker._delete_messages(p_ns text[], p_msg bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE v record;
BEGIN
  FOR v IN SELECT u.ns, array_agg(u.msg) AS ids FROM unnest(p_ns, p_msg) u(ns, msg) WHERE u.msg IS NOT NULL GROUP BY u.ns LOOP
    PERFORM tasker._hand_on_all(v.ns, v.ids, NULL, NULL, NULL, NULL);
  END LOOP;
END $$;
