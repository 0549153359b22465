-- tasker._readable(document): a document of a worker, so that its parts can be taken out. json keeps escapes that text cannot hold (\u0000, half of a
-- surrogate pair), but then no part of the document can be read, be it far from them. Where there are such, they are spelled out: the six characters
-- \u0000. Costs a look for an escape when there is none. NULL when it is nested too deeply to be read here. Pure.
CREATE OR REPLACE FUNCTION tasker._readable(p_document json) RETURNS json LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_read json := p_document;
  v_next text;
BEGIN
  IF strpos(p_document::text, '\u') = 0 THEN RETURN p_document; END IF;
  FOREACH v_next IN ARRAY ARRAY['0000', '', NULL] LOOP -- as it is; without those; without any, whatever they are
    BEGIN
      PERFORM v_read -> '';
      RETURN v_read;
    EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
      v_read := regexp_replace(p_document::text, '(?<!\\)((?:\\\\)*)\\u(?=' || v_next || ')', '\1\\\\u', 'g');
    END;
  END LOOP;
  RETURN NULL;
END $$;
