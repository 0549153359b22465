-- in:  $1 text namespace, $2 text name, $3 text version
-- out: body json (0 or 1 row)
SELECT json_build_object(
         'name', nt.name, 'namespace', ns.name, 'version', nt.version, 'description', nt.description, 'configuration', NULL,
         'digest', nt.digest, 'paused', nt.paused, 'paused_by', nt.paused_by, 'paused_reason', nt.paused_reason,
         'paused_at', tasker.time_text(nt.paused_at, 'zoned'),
         'steps', (SELECT coalesce(json_agg(json_build_object(
                            'name', step->>'name', 'description', step->>'description',
                            'default_retryable', ts.retryable, 'default_max_attempts', ts.max_attempts,
                            'result_schema', step->'result_schema', 'step_type', ts.step_type,
                            'dependencies', coalesce(step->'dependencies', '[]'::jsonb)) ORDER BY ts.step_no), '[]'::json)
                     FROM tasker.template_steps ts
                     JOIN tasker.templates tpl ON tpl.digest = ts.digest
                     CROSS JOIN LATERAL (SELECT tpl.body->'steps'->ts.step_no::int AS step) body
                    WHERE ts.digest = nt.digest)) AS body
  FROM tasker.named_tasks nt
  JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
 WHERE ns.name = $1 AND nt.name = $2 AND nt.version = $3;
