-- A version of a named task; without a version the newest one: numbers compare as numbers, a pre-release comes before its release.
-- in:  $1 text namespace, $2 text name, $3 text version
-- out: named_task_uuid uuid, namespace text, name text, version text, description text, digest text, identity_strategy text (0 or 1 row)
SELECT nt.named_task_uuid, ns.name AS namespace, nt.name, nt.version, nt.description, nt.digest, nt.identity_strategy
  FROM tasker.named_tasks nt
  JOIN tasker.namespaces ns ON ns.namespace_uuid = nt.namespace_uuid
 WHERE ns.name = $1 AND nt.name = $2 AND ($3 = '' OR nt.version = $3)
 ORDER BY (SELECT array_agg(part::numeric ORDER BY at)
             FROM regexp_split_to_table(substring(nt.version FROM '^[0-9]+(?:\.[0-9]+)*'), '\.') WITH ORDINALITY parts(part, at)) DESC NULLS LAST,
          nt.version ~ '^[0-9.]+-' , nt.version DESC
 LIMIT 1;
