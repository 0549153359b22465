-- tasker.trim_events(max_age_s, keep, limit): what nobody reads does not stay for ever. Per queue of domain events: removes at most
-- p_limit messages older than max_age_s, and at most as many beyond the newest p_keep, oldest first; says how many are left (counted up
-- to p_keep + 1) and how old the oldest is. Message ids grow by one, so the newest p_keep are those of the last p_keep ids: at most so
-- many stay, and fewer where messages in between were read. Writes: PGMQ.
CREATE OR REPLACE FUNCTION tasker.trim_events(p_max_age_s int, p_keep bigint, p_limit int)
RETURNS TABLE (namespace text, depth bigint, oldest_s float8, expired bigint, overflowed bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE v_table text;
BEGIN
  FOR namespace, v_table IN
    SELECT ns.name, 'pgmq.q_' || lower(m.queue_name) FROM tasker.namespaces ns JOIN pgmq.meta m ON m.queue_name = tasker.event_queue_name(ns.name) ORDER BY 1
  LOOP
    EXECUTE 'WITH old AS (SELECT msg_id FROM ' || v_table || ' ORDER BY msg_id LIMIT $2), gone AS (
               DELETE FROM ' || v_table || ' q USING old WHERE q.msg_id = old.msg_id AND q.enqueued_at < clock_timestamp() - $1 * interval ''1 second'' RETURNING 1)
             SELECT count(*) FROM gone' INTO expired USING p_max_age_s, p_limit;
    EXECUTE 'WITH old AS (SELECT msg_id FROM ' || v_table || ' WHERE msg_id <= (SELECT max(msg_id) FROM ' || v_table || ') - $1 ORDER BY msg_id LIMIT $2),
             gone AS (DELETE FROM ' || v_table || ' q USING old WHERE q.msg_id = old.msg_id RETURNING 1)
             SELECT count(*) FROM gone' INTO overflowed USING p_keep, p_limit;
    EXECUTE 'SELECT (SELECT count(*) FROM (SELECT 1 FROM ' || v_table || ' LIMIT $1 + 1) x),
                    coalesce((SELECT extract(epoch FROM clock_timestamp() - q.enqueued_at) FROM ' || v_table || ' q ORDER BY q.msg_id LIMIT 1), 0)'
      INTO depth, oldest_s USING p_keep;
    RETURN NEXT;
  END LOOP;
END $$;
