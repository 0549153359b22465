-- in:  $1 text namespace ('': all)
-- out: named_task_uuid uuid, namespace text, name text, version text, description text, digest text, identity_strategy text (0 to 10,000 rows)
SELECT nt.named_task_uuid, ns.name AS namespace, nt.name, nt.version, nt.description, nt.digest, nt.identity_strategy
  FROM tasker.named_tasks nt
  JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
 WHERE $1 = '' OR ns.name = $1
 ORDER BY ns.name, nt.name, nt.version
 LIMIT 10000;
