-- The edges of a template know where the steps they join are among those a new task has from the start (template_steps.start_pos); 0 when one of them is made later.
-- So the edges of a new task are written without looking any step up. NOT NULL and without a default, so that who does not know of it yet is refused.
ALTER TABLE tasker.template_edges ADD COLUMN from_pos int NOT NULL DEFAULT 0, ADD COLUMN to_pos int NOT NULL DEFAULT 0;
UPDATE tasker.template_edges e SET from_pos = f.start_pos, to_pos = t.start_pos
  FROM tasker.template_steps f, tasker.template_steps t
 WHERE f.digest = e.digest AND f.step_no = e.from_no AND f.start_pos > 0 AND t.digest = e.digest AND t.step_no = e.to_no AND t.start_pos > 0;
ALTER TABLE tasker.template_edges ALTER COLUMN from_pos DROP DEFAULT, ALTER COLUMN to_pos DROP DEFAULT;

-- One index begins with the digest. With two of them the planner, which took every template for one step while there were no statistics, found a step by its
-- digest alone and then read all steps of the template for each.
ALTER TABLE tasker.template_steps DROP CONSTRAINT template_steps_digest_name_key, ADD UNIQUE (name, digest);
