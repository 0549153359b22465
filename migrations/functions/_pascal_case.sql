-- tasker._pascal_case(word): 'staleness_timeout' → 'StalenessTimeout', as the contract spells the words of the dead-letter queue. Pure, inlined.
CREATE OR REPLACE FUNCTION tasker._pascal_case(p_word text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT replace(initcap(replace(p_word, '_', ' ')), ' ', '')
$$;
