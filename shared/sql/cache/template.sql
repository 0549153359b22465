-- in:  $1 text digest
-- out: body text, named_task_uuid uuid (0 or 1 row)
SELECT tpl.body::text AS body,
       (SELECT nt.named_task_uuid FROM tasker.named_tasks nt WHERE nt.digest = tpl.digest ORDER BY nt.named_task_uuid LIMIT 1) AS named_task_uuid
  FROM tasker.templates tpl
 WHERE tpl.digest = $1;
