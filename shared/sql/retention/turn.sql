-- Whether it is this process's turn to apply the policies, and where to go on. namespace NULL: nobody has a policy.
-- in:  $1 uuid holder, $2 int4 hold_s
-- out: namespace text, after_uuid uuid (0..1 rows)
SELECT namespace, after_uuid FROM tasker.retention_turn($1, $2);
