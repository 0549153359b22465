-- in:  $1 text namespace
-- out: body json (1 row)
SELECT json_build_object(
  'namespaces', (SELECT coalesce(json_agg(json_build_object(
                          'name', ns.name, 'description', ns.description, 'paused', ns.paused,
                          'template_count', (SELECT count(*) FROM tasker.named_tasks nt WHERE nt.namespace_uuid = ns.namespace_uuid))
                        ORDER BY ns.name), '[]'::json) FROM tasker.namespaces ns),
  'templates', (SELECT coalesce(json_agg(json_build_object(
                         'name', nt.name, 'namespace', ns.name, 'version', nt.version, 'description', nt.description,
                         'step_count', (SELECT count(*) FROM tasker.template_steps ts WHERE ts.digest = nt.digest),
                         'digest', nt.digest, 'paused', nt.paused, 'paused_by', nt.paused_by, 'paused_reason', nt.paused_reason,
                         'paused_at', tasker.time_text(nt.paused_at, 'zoned'))
                       ORDER BY ns.name, nt.name, nt.version), '[]'::json)
                  FROM tasker.named_tasks nt JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
                 WHERE $1::text IS NULL OR ns.name = $1),
  'total_count', (SELECT count(*) FROM tasker.named_tasks)) AS body;
