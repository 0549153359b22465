-- Makes the steps and edges that follow from results settled next.
-- in:  $1 uuid[] tasks, $2 uuid[] steps, $3 int4[] numbers, $4 int4[] instances, $5 text[] names, $6 text[] inputs, $7 bool[] held, $8 uuid[] edge_tasks, $9 int4[] edge_from, $10 int4[] edge_to
-- out: n int4 (1 row)
SELECT tasker.grow_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS n;
