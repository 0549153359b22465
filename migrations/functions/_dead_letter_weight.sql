-- tasker._dead_letter_weight(reason): how many minutes of waiting a reason is worth in the investigation queue. Pure.
CREATE OR REPLACE FUNCTION tasker._dead_letter_weight(p_reason tasker.dlq_reason) RETURNS int LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE p_reason WHEN 'dependency_cycle_detected' THEN 1000 WHEN 'max_retries_exceeded' THEN 500 WHEN 'staleness_timeout' THEN 100 WHEN 'worker_unavailable' THEN 50
                       ELSE 10 END
$$;
