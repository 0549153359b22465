-- tasker.dead_letter_stats(): per reason there is, how many entries of each resolution, the oldest and newest, and how long one takes to be
-- closed on average, in minutes (those that are pending count up to now). A JSON array, as the contract has it. Looks at all entries: for people.
CREATE OR REPLACE FUNCTION tasker.dead_letter_stats() RETURNS json LANGUAGE plpgsql STABLE SET enable_seqscan = on AS $$
BEGIN
  RETURN (SELECT coalesce(json_agg(json_build_object(
                   'dlq_reason', tasker._pascal_case(s.reason::text), 'total_entries', s.total, 'pending', s.pending, 'manually_resolved', s.resolved,
                   'permanent_failures', s.failed, 'cancelled', s.cancelled, 'oldest_entry', tasker.time_text(s.oldest, 'naive'),
                   'newest_entry', tasker.time_text(s.newest, 'naive'), 'avg_resolution_time_minutes', s.minutes) ORDER BY s.total DESC, s.reason), '[]'::json)
            FROM (SELECT d.dlq_reason AS reason, count(*) AS total, count(*) FILTER (WHERE d.resolution_status = 'pending') AS pending,
                         count(*) FILTER (WHERE d.resolution_status = 'manually_resolved') AS resolved,
                         count(*) FILTER (WHERE d.resolution_status = 'permanently_failed') AS failed,
                         count(*) FILTER (WHERE d.resolution_status = 'cancelled') AS cancelled, min(d.dlq_timestamp) AS oldest, max(d.dlq_timestamp) AS newest,
                         round((avg(extract(epoch FROM coalesce(d.resolution_timestamp, clock_timestamp()) - d.dlq_timestamp)) / 60)::numeric, 3) AS minutes
                    FROM tasker.dead_letters d GROUP BY d.dlq_reason) s);
END $$;
