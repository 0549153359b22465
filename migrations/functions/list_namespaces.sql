-- tasker.list_namespaces(namespace): one namespace, or all by name (NULL), as {name, paused, paused_by, paused_reason, paused_at, weight, weight_by, weight_reason,
-- weight_at, template_count}; of one NULL when it is not known.
CREATE OR REPLACE FUNCTION tasker.list_namespaces(p_ns text) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE v_list json;
BEGIN
  SELECT coalesce(json_agg(json_build_object(
           'name', ns.name, 'paused', ns.paused, 'paused_by', ns.paused_by, 'paused_reason', ns.paused_reason,
           'paused_at', tasker.time_text(ns.paused_at, 'zoned'), 'weight', ns.weight, 'weight_by', ns.weight_by, 'weight_reason', ns.weight_reason,
           'weight_at', tasker.time_text(ns.weight_at, 'zoned'),
           'template_count', (SELECT count(*) FROM tasker.named_tasks nt WHERE nt.namespace_uuid = ns.namespace_uuid)) ORDER BY ns.name), '[]')
    INTO v_list FROM tasker.namespaces ns WHERE p_ns IS NULL OR ns.name = p_ns;
  RETURN CASE WHEN p_ns IS NULL THEN json_build_object('namespaces', v_list) ELSE v_list -> 0 END;
END $$;
