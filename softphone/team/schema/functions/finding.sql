-- Finding and opening: what row-level security alone does not say, and what is logged in the same transaction.

-- Of an id that somebody has, whether or not they find it: its call, and whether they lead that. No row: there is no such recording.
CREATE FUNCTION recording_asked(of uuid) RETURNS TABLE (call uuid, led boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need('agent', 'case_handler', 'lead', 'custody', 'it');
    RETURN QUERY SELECT r.call, i_lead(r.line, r.agent) FROM recordings r WHERE r.recording = of;
END $$;

-- A desk wrote this: what is no JSON, or no time, is none here.
CREATE FUNCTION as_json(told text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN told::jsonb;
EXCEPTION WHEN data_exception OR invalid_text_representation THEN
    RETURN NULL;
END $$;

CREATE FUNCTION as_moment(told text) RETURNS timestamptz LANGUAGE plpgsql STABLE SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN told::timestamptz;
EXCEPTION WHEN data_exception OR invalid_text_representation THEN
    RETURN NULL;
END $$;

-- What happened to a recording and to its call, oldest first, by the service's log and by desks'; another recording of that call is
-- left out. For case handlers and custody who find it. Data protection also reads who did it, as far as the service itself says so.
CREATE FUNCTION recording_log(of uuid) RETURNS TABLE (at timestamptz, event text, rule text, params jsonb, recording text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    row recordings;
BEGIN
    PERFORM need('case_handler', 'custody');
    SELECT r.* INTO row FROM recordings r WHERE r.recording = of;
    IF row.recording IS NULL OR NOT (i_find_all() OR row.opened_by && my_keys('custody')
            OR (row.opened_by && my_keys('documentation') AND lives_for(row, 'documentation'))) THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT coalesce(as_moment(e.j ->> 'at'), e.at), e.event, e.rule,
            coalesce(CASE jsonb_typeof(e.j -> 'params')
                WHEN 'string' THEN as_json(e.j ->> 'params') WHEN 'object' THEN e.j -> 'params' END, '{}') - 'person'
            || CASE WHEN p.subject IS NULL THEN '{}' ELSE jsonb_build_object('person', p.subject) END, e.recording
        FROM (SELECT a.at, a.event, a.rule, a.recording, a.chain, a.number, as_json(a.told) AS j FROM audit a
            WHERE a.recording = of::text OR (a.call = row.call::text AND a.call <> '' AND a.recording IS NULL)) e
        LEFT JOIN people p ON e.chain = 'service' AND i_find_all() AND p.person =
            CASE WHEN e.j ->> 'person' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN (e.j ->> 'person')::uuid END
        ORDER BY 1, e.chain = 'service', e.number LIMIT 2000;
END $$;

-- The recording that who asks may hear in this role now, by a key that they have proved: documentation for a reason, custody for a case.
-- A withdrawal waits until they were answered.
CREATE FUNCTION need_opening(of uuid, of_role text, why text, of_case text) RETURNS recordings
    LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
BEGIN
    PERFORM need(CASE of_role WHEN 'documentation' THEN 'case_handler' WHEN 'training' THEN 'lead' ELSE 'custody' END);
    SELECT r.* INTO row FROM recordings r WHERE r.recording = of FOR SHARE;
    IF row.recording IS NULL OR NOT row.opened_by && my_keys(of_role) OR NOT lives_for(row, of_role)
        OR (of_role = 'training' AND NOT i_lead(row.line, row.agent)) THEN
        RAISE EXCEPTION 'closed' USING ERRCODE = 'KT404';
    END IF;
    IF (of_role = 'documentation' AND why = '') OR (of_role = 'custody' AND of_case = '') OR length(why || of_case) > 1000 THEN
        RAISE EXCEPTION 'without a word' USING ERRCODE = 'KT422';
    END IF;
    RETURN row;
END $$;

-- The data keys, sealed for keys of who asks. That it was opened is in the log with them, or neither.
CREATE FUNCTION recording_open(of uuid, of_role text, why text, of_case text)
    RETURNS TABLE (segment integer, key_id text, suite text, sealed bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    row recordings := need_opening(of, of_role, why, of_case);
    keys text[] := my_keys(of_role);
    told jsonb;
BEGIN
    SELECT jsonb_build_object('role', of_role, 'segments', count(DISTINCT w.segment), 'key', left(min(w.key_id), 16)) INTO told
        FROM wraps w WHERE w.recording = of AND w.role = of_role AND w.role || ':' || w.key_id = ANY (keys);
    PERFORM note('recording_opened', 'G11', row.call::text, of, told
        || CASE WHEN why <> '' THEN jsonb_build_object('stated', why) ELSE '{}' END
        || CASE WHEN of_case <> '' THEN jsonb_build_object('case', of_case) ELSE '{}' END);
    RETURN QUERY SELECT w.segment, w.key_id, w.suite, w.sealed FROM wraps w
        WHERE w.recording = of AND w.role = of_role AND w.role || ':' || w.key_id = ANY (keys) ORDER BY w.segment, w.key_id;
END $$;

-- Where the file of a recording lies that who asks may hear now, in whichever role. No row: they may not, or there is none.
CREATE FUNCTION recording_file(of uuid) RETURNS TABLE (object_key text, object_version text, size bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    keys text[] := my_keys();
BEGIN
    PERFORM need('agent', 'case_handler', 'lead', 'custody', 'it');
    RETURN QUERY SELECT r.object_key, r.object_version, r.size FROM recordings r WHERE r.recording = of
        AND EXISTS (SELECT FROM wraps w WHERE w.recording = of AND w.role || ':' || w.key_id = ANY (keys)
            AND lives_for(r, w.role) AND (w.role <> 'training' OR i_lead(r.line, r.agent)));
END $$;

-- A file of plain sound was made of it.
CREATE FUNCTION recording_exported(of uuid, of_role text, why text, of_case text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings := need_opening(of, of_role, why, of_case);
BEGIN
    PERFORM note('recording_exported', 'G11', row.call::text, of, jsonb_build_object('role', of_role)
        || CASE WHEN why <> '' THEN jsonb_build_object('stated', why) ELSE '{}' END
        || CASE WHEN of_case <> '' THEN jsonb_build_object('case', of_case) ELSE '{}' END);
END $$;

-- Another number once something has changed of what who asks may find: by the newest entries of the log, and so at little cost.
-- What was only looked at changes nothing. One that has gone may have been anybody's.
CREATE FUNCTION archive_written() RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody', 'it');
    all_of boolean := who.roles && ARRAY ['case_handler', 'custody'];
    led_by_me text[] := my_led();
    last bigint;
    found bigint;
BEGIN
    SELECT a.number INTO last FROM audit a WHERE a.chain = 'service' ORDER BY a.number DESC LIMIT 1;
    SELECT a.number INTO found FROM (SELECT n.number, n.event, n.recording FROM audit n
            WHERE n.chain = 'service' AND n.number > last - 500) a LEFT JOIN recordings r ON r.recording = a.recording::uuid
        WHERE CASE WHEN a.recording IS NULL THEN a.event IN ('taken_back', 'policy_taken')
            ELSE a.event NOT IN ('recording_opened', 'recording_exported', 'refused', 'opening_refused', 'hold_refused', 'review_refused')
                AND (r.recording IS NULL OR all_of OR (r.person = who.person AND r.agent = ANY (who.agents)) OR led(r.line, r.agent) && led_by_me) END
        ORDER BY a.number DESC LIMIT 1;
    RETURN coalesce(found, last - last % 500, 0);
END $$;
