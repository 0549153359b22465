-- tasker._timeout_means(result, on_timeout, on_queue_timeout): what the failure of a step means for it by its template when it is a timeout: retry, error or
-- cancel; NULL for any other failure. The worker says handler_timeout of an attempt that took too long, _give_up queue_timeout.
-- Looks for the word before it reads the JSON, which is dearer. Pure, inlined.
CREATE OR REPLACE FUNCTION tasker._timeout_means(p_result text, p_on_timeout text, p_on_queue_timeout text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN strpos(p_result, '_timeout"') > 0 THEN
           CASE tasker._readable(p_result::json) #>> '{metadata,error_type}' WHEN 'handler_timeout' THEN coalesce(p_on_timeout, 'retry')
                                                            WHEN 'queue_timeout' THEN coalesce(p_on_queue_timeout, 'error') END END
$$;
