-- tasker.set_retention(namespace, keep_days, clear): sets the policy of a namespace ('*': of those without one), or takes it away. keep_days NULL: for ever.
-- Returns 'set', 'cleared', 'none' (there was nothing to clear) or 'unknown' (no such namespace; clearing needs none).
CREATE OR REPLACE FUNCTION tasker.set_retention(p_namespace text, p_keep_days int, p_clear boolean) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF p_clear THEN
    DELETE FROM tasker.retention_policies r WHERE r.namespace = p_namespace;
    RETURN CASE WHEN FOUND THEN 'cleared' ELSE 'none' END;
  ELSIF p_namespace <> '*' AND NOT EXISTS (SELECT FROM tasker.namespaces ns WHERE ns.name = p_namespace) THEN
    RETURN 'unknown';
  END IF;
  INSERT INTO tasker.retention_policies (namespace, keep_days) VALUES (p_namespace, p_keep_days)
  ON CONFLICT (namespace) DO UPDATE SET keep_days = excluded.keep_days, set_at = clock_timestamp();
  RETURN 'set';
END $$;
