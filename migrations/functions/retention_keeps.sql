-- tasker.retention_keeps(): how long each namespace keeps its ended tasks, and where that is said: own, default or none (for ever, like keep_days NULL).
-- First the row '*': what holds for namespaces without a policy of their own.
CREATE OR REPLACE FUNCTION tasker.retention_keeps() RETURNS TABLE (namespace text, keep_days int, source text) LANGUAGE sql STABLE AS $$
  SELECT n.name, CASE WHEN own.namespace IS NOT NULL THEN own.keep_days ELSE d.keep_days END,
         CASE WHEN own.namespace IS NOT NULL THEN 'own' WHEN d.namespace IS NOT NULL THEN 'default' ELSE 'none' END
    FROM (SELECT '*' AS name UNION ALL SELECT ns.name FROM tasker.namespaces ns) n
    LEFT JOIN tasker.retention_policies own ON own.namespace = n.name
    LEFT JOIN tasker.retention_policies d ON d.namespace = '*'
   ORDER BY n.name <> '*', n.name
$$;
