-- tasker._at_fault(sqlstate): may one row of a batch be why a statement raised this, so that the others go through without it? The data (21, 22, 23, 54: out of
-- range, twice, more than the server holds in one value), what a function of ours says of it (P0), and what the server itself did not expect (XX: so it says "invalid
-- memory alloc request size"). Not what comes and goes (40, 55, 57, 08), what the whole server lacks (53, 58) and what is wrong with the schema (42): nobody is set
-- aside for these. tk_pg_one_row (shared/pg/outcome.c) is the same in C, tests/db holds them together. Pure.
CREATE OR REPLACE FUNCTION tasker._at_fault(p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT left(p_state, 2) IN ('21', '22', '23', '54', 'P0', 'XX')
$$;
