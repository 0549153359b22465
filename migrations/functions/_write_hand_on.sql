-- tasker._write_hand_on(most namespaces): writes two functions, by which the hot path takes messages out of a namespace's queue and puts others in, hidden until p_visible:
--   tasker._hand_on(namespace, gone, visible, step, task, correlation) takes out one (none: NULL) and puts in one (none: NULL); returns its id.
--   tasker._hand_on_all(namespace, gone, visible, steps, tasks, correlations): the same with arrays; the ids are in the order of the steps.
-- Every queue is a table of its own, and plpgsql parses and plans a statement whose table is only known when it is called on every call: a sixth of settling one
-- result. So the statements are written out for the namespaces that there are, and each connection plans those it uses once. A namespace that is not among
-- them (there are more than p_most: the way through the branches would cost what it saves) has _send and _delete, which do the same.
-- Called with every new namespace, and where this file is applied. SECURITY DEFINER: who registers a template need not own these functions.
-- Many may call at once: one advisory lock.
CREATE OR REPLACE FUNCTION tasker._write_hand_on(p_most int DEFAULT 100) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $write$
DECLARE
  v_one  text;
  v_many text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('tasker.hand_on', 0));
  SELECT coalesce(string_agg(format($branch$
  IF p_ns = %1$L THEN
    IF p_step IS NULL THEN
      DELETE FROM %2$s WHERE msg_id = p_gone;
    ELSIF p_gone IS NULL THEN
      INSERT INTO %2$s (vt, message) VALUES (p_visible, jsonb_build_object('task_uuid', p_task, 'step_uuid', p_step, 'correlation_id', p_corr))
      RETURNING msg_id INTO v_id;
    ELSE
      WITH gone AS (DELETE FROM %2$s WHERE msg_id = p_gone)
      INSERT INTO %2$s (vt, message) VALUES (p_visible, jsonb_build_object('task_uuid', p_task, 'step_uuid', p_step, 'correlation_id', p_corr))
      RETURNING msg_id INTO v_id;
    END IF;
    RETURN v_id;
  END IF;$branch$, n.name, tasker._queue_table(n.name)), ''), ''),
         coalesce(string_agg(format($branch$
  IF p_ns = %1$L THEN
    IF p_step IS NULL THEN
      DELETE FROM %2$s WHERE msg_id = ANY (p_gone);
    ELSE
      WITH gone AS (DELETE FROM %2$s WHERE msg_id = ANY (p_gone)),
           sent AS (INSERT INTO %2$s (vt, message)
                    SELECT p_visible, jsonb_build_object('task_uuid', u.t, 'step_uuid', u.s, 'correlation_id', u.c) FROM unnest(p_step, p_task, p_corr) u(s, t, c)
                    RETURNING msg_id)
      SELECT array_agg(msg_id ORDER BY msg_id) INTO v_ids FROM sent;
    END IF;
    RETURN v_ids;
  END IF;$branch$, n.name, tasker._queue_table(n.name)), ''), '')
    INTO v_one, v_many
    FROM (SELECT ns.name FROM tasker.namespaces ns JOIN pgmq.meta m ON m.queue_name = tasker.queue_name(ns.name) ORDER BY ns.created_at, ns.name LIMIT p_most) n;

  EXECUTE format($f$
CREATE OR REPLACE FUNCTION tasker._hand_on(p_ns text, p_gone bigint, p_visible timestamptz, p_step uuid, p_task uuid, p_corr uuid) RETURNS bigint
LANGUAGE plpgsql AS $body$
DECLARE v_id bigint;
BEGIN%s
  IF p_gone IS NOT NULL THEN PERFORM tasker._delete(p_ns, ARRAY[p_gone]); END IF;
  IF p_step IS NOT NULL THEN v_id := (tasker._send(p_ns, ARRAY[p_step], ARRAY[p_task], ARRAY[p_corr], p_visible))[1]; END IF;
  RETURN v_id;
END $body$$f$, v_one);
  EXECUTE format($f$
CREATE OR REPLACE FUNCTION tasker._hand_on_all(p_ns text, p_gone bigint[], p_visible timestamptz, p_step uuid[], p_task uuid[], p_corr uuid[]) RETURNS bigint[]
LANGUAGE plpgsql AS $body$
DECLARE v_ids bigint[];
BEGIN%s
  IF p_gone IS NOT NULL THEN PERFORM tasker._delete(p_ns, p_gone); END IF;
  IF p_step IS NOT NULL THEN v_ids := tasker._send(p_ns, p_step, p_task, p_corr, p_visible); END IF;
  RETURN v_ids;
END $body$$f$, v_many);
END $write$;

SELECT tasker._write_hand_on();
