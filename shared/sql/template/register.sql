-- Stores a template version, immutable by digest.
-- in:  $1 text namespace, $2 text name, $3 text version, $4 text description, $5 text digest, $6 text identity, $7 jsonb body, $8 jsonb steps, $9 jsonb edges, $10 bool replace
-- out: outcome text, named_task_uuid uuid, digest text (1 row)
SELECT outcome, named_task_uuid, digest FROM tasker.register_template($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
