-- What a task request needs to know of its template version.
-- in:  $1 text namespace, $2 text name, $3 text version
-- out: named_task_uuid uuid, digest text, identity_strategy text, steps_at_start int4, input_schema text (0 or 1 row)
SELECT nt.named_task_uuid, nt.digest, nt.identity_strategy,
       (SELECT count(*)::int4 FROM tasker.template_steps ts WHERE ts.digest = nt.digest AND ts.created_at_start) AS steps_at_start,
       nullif(t.body->'input_schema', 'null')::text AS input_schema
  FROM tasker.named_tasks nt
  JOIN tasker.templates t ON t.digest = nt.digest
  JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
 WHERE ns.name = $1 AND nt.name = $2 AND nt.version = $3;
