-- What a review of the functions found: each reads no more than it must, in one order, and believes nothing that it need not.

-- As before. No hold was placed later than now: a request for access is to be answered within a month of that.
CREATE OR REPLACE FUNCTION hold_dated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    zone text := (SELECT c.time_zone FROM calls c JOIN recordings r USING (call) WHERE r.recording = NEW.recording);
BEGIN
    NEW.at := least(NEW.at, statement_timestamp());
    NEW.confirm_by := CASE NEW.raised_for
        WHEN 'access' THEN day_begins(((NEW.at AT TIME ZONE zone)::date + interval '1 month')::date + 1, zone) - interval '1 second'
        ELSE least(NEW.confirm_by, statement_timestamp() + interval '1 year')
    END;
    RETURN NEW;
END $$;

-- As before. What custody or a refusal lifted is not placed once more by a desk that asks again.
CREATE OR REPLACE FUNCTION holds_place(holds jsonb) RETURNS TABLE (hold text, recording uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody');
    one record;
    row recordings;
BEGIN
    -- All rows before the first entry of the log: others wait for them, and hold it.
    PERFORM FROM recordings r WHERE r.recording IN (SELECT h.recording FROM jsonb_to_recordset($1) AS h (recording uuid))
        ORDER BY r.recording FOR UPDATE;
    FOR one IN SELECT * FROM jsonb_to_recordset($1) AS h (hold text, recording uuid, raised_for text, raised_by text, why text,
            at timestamptz, provisional_until timestamptz, confirm_by timestamptz) ORDER BY h.recording LOOP
        SELECT r.* INTO row FROM recordings r WHERE r.recording = one.recording;
        CONTINUE WHEN row.recording IS NULL;
        IF EXISTS (SELECT FROM holds h WHERE h.hold = one.hold AND h.recording <> one.recording) THEN
            RAISE EXCEPTION 'another hold' USING ERRCODE = 'KT409';
        END IF;
        CONTINUE WHEN one.raised_for = 'controller'
            AND greatest(row.documentation_until, row.training_until) <= statement_timestamp()
            AND NOT EXISTS (SELECT FROM holds h WHERE h.hold = one.hold AND h.lifted_at IS NULL);
        -- A call counts its holds: one that was undone leaves its number to the next, and stands under another name.
        UPDATE holds h SET hold = h.hold || '-' || floor(extract(epoch FROM clock_timestamp()) * 1000)::text
            FROM hold_words w WHERE h.hold = one.hold AND h.lifted_at IS NOT NULL AND w.hold = h.hold AND w.lifted_reason = 'undone';
        INSERT INTO holds (hold, recording, raised_for, at, provisional_until, confirm_by)
            VALUES (one.hold, one.recording, one.raised_for, least(one.at, statement_timestamp()),
                one.provisional_until, one.confirm_by) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            INSERT INTO hold_words (hold, person, raised_by, why) VALUES (one.hold, who.person, one.raised_by, one.why);
            INSERT INTO wraps_aside (hold, recording, segment, key_id, suite, sealed, until)
                SELECT one.hold, w.recording, w.segment, w.key_id, w.suite, w.sealed, statement_timestamp() + interval '60 seconds'
                FROM wraps w WHERE w.recording = one.recording AND w.role = 'training';
            DELETE FROM wraps w WHERE w.recording = one.recording AND w.role = 'training';
            PERFORM note('hold_placed', CASE one.raised_for WHEN 'access' THEN 'G08' ELSE 'G10' END,
                row.call::text, one.recording, jsonb_build_object('hold', one.hold, 'by', one.raised_for));
        END IF;
        RETURN QUERY SELECT one.hold, one.recording;
    END LOOP;
END $$;

-- As before; of the rest of the chain it looks at no more than may go now.
CREATE OR REPLACE FUNCTION log_cut(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    one record;
    goes record;
    went bigint := 0;
    past timestamptz := least(before, statement_timestamp() - interval '1 year');
BEGIN
    -- One sweeper at a time; the others go on.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('klartone.audit.cut', 0)) THEN
        RETURN 0;
    END IF;
    FOR one IN SELECT c.chain, f.number, f.newest FROM (SELECT 'service' AS chain UNION ALL SELECT d.desk::text FROM desks d) c,
            LATERAL (SELECT a.number, a.at, (SELECT max(b.number) FROM audit b WHERE b.chain = c.chain) AS newest
                FROM audit a WHERE a.chain = c.chain ORDER BY a.number LIMIT 1) f
            WHERE f.at <= past - interval '31 days' ORDER BY c.chain <> 'service', c.chain LOOP
        EXIT WHEN went >= most;
        SELECT a.number, a.hash INTO goes FROM audit a WHERE a.chain = one.chain
            AND a.number < least(one.newest, one.number + most - went, (SELECT s.number FROM audit s,
                LATERAL (SELECT CASE WHEN s.recording ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN s.recording::uuid END AS recording,
                    CASE WHEN s.call ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN s.call::uuid END AS call) of
                WHERE s.chain = one.chain AND s.number < one.number + most - went
                    AND (s.at > past OR EXISTS (SELECT FROM recordings r WHERE r.recording = of.recording)
                    OR EXISTS (SELECT FROM recordings r WHERE r.call = of.call)
                    OR EXISTS (SELECT FROM case_recordings k WHERE k.recording = of.recording))
                ORDER BY s.number LIMIT 1))
            ORDER BY a.number DESC LIMIT 1;
        CONTINUE WHEN goes.number IS NULL;
        PERFORM note('sweep_log_cut', 'G10', '', NULL, jsonb_build_object('chain', one.chain, 'number', goes.number, 'hash', goes.hash,
            'count', goes.number - one.number + 1, 'begins', goes.number + 1));
        INSERT INTO log_begins SELECT one.chain, goes.number, goes.hash, h.number FROM service_head() h
            ON CONFLICT (chain) DO UPDATE SET number = excluded.number, hash = excluded.hash, said = excluded.said;
        DELETE FROM audit a WHERE a.chain = one.chain AND a.number <= goes.number;
        went := went + goes.number - one.number + 1;
    END LOOP;
    RETURN went;
END $$;

-- As before; by the index of cases that are not open.
CREATE OR REPLACE FUNCTION cases_forget(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    these bigint[] := ARRAY (SELECT c.number FROM cases c WHERE c.received_at <= before AND c.state <> 'open'
        AND c.state = ANY (CASE WHEN c.received_how = 'call' OR c.kind IN ('objection', 'grounds_given')
            THEN '{decided,answered,closed}' ELSE '{answered,closed}' END::text[])
        AND coalesce(c.closed_at, c.answered_at, '-infinity') <= before
        AND NOT EXISTS (SELECT FROM case_recordings k WHERE k.number = c.number AND (k.decided_at IS NULL OR k.decided_at > before
            OR EXISTS (SELECT FROM recordings r WHERE r.recording = k.recording)))
        ORDER BY c.number LIMIT most FOR UPDATE SKIP LOCKED);
BEGIN
    DELETE FROM case_concerns k WHERE k.number = ANY (these);
    DELETE FROM case_recordings k WHERE k.number = ANY (these);
    DELETE FROM cases c WHERE c.number = ANY (these);
    IF these <> '{}' THEN
        PERFORM note('cases_forgotten', 'G10', '', NULL, jsonb_build_object('count', cardinality(these)));
    END IF;
    RETURN cardinality(these);
END $$;

-- As before; people are found by their key.
CREATE OR REPLACE FUNCTION recording_log(of uuid) RETURNS TABLE (at timestamptz, event text, rule text, params jsonb, recording text)
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

-- As before. What `verify` believes, functions say and nobody else.
CREATE OR REPLACE FUNCTION audit_note(of_event text, of_rule text, of_call text, of_recording uuid, params jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    of_desk uuid := (SELECT desk FROM asking());
    minute bigint;
    day bigint;
BEGIN
    IF of_event IN ('desk_log_arrived', 'sweep_log_cut') THEN
        RAISE EXCEPTION 'not from outside' USING ERRCODE = 'KT403';
    END IF;
    IF of_desk IS NOT NULL AND of_event IN ('refused', 'recording_refused', 'hold_refused', 'token_elsewhere_refused') THEN
        minute := rated(of_desk, 'refused', 'minute', 1);
        day := rated(of_desk, 'refused a day', 'day', 1);
        IF minute > 100 OR day > 2000 THEN
            IF minute = 101 OR day = 2001 THEN
                PERFORM note('refused_often', 'G11', '', NULL, jsonb_build_object('minute', minute, 'day', day));
            END IF;
            RETURN;
        END IF;
    END IF;
    PERFORM note(of_event, of_rule, of_call, of_recording, params);
END $$;

-- As before. Counts come after the log's lock, also where the entry follows: so two at once never wait for each other.
CREATE OR REPLACE FUNCTION tally(of uuid, of_what text, at timestamptz) RETURNS void LANGUAGE sql SET search_path = klartone, pg_temp AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('klartone.audit.service', 0));
    INSERT INTO sample_tallies (desk, line, agent, span, what, count)
        SELECT '00000000-0000-0000-0000-000000000000', coalesce(r.line, ''), r.agent,
            to_char(coalesce(at, statement_timestamp()) AT TIME ZONE c.time_zone,
                CASE of_what WHEN 'reviewed_on' THEN 'YYYY-MM-DD' ELSE 'YYYY-MM' END), of_what, 1
        FROM recordings r JOIN calls c USING (call) WHERE r.recording = of
        ON CONFLICT (line, agent, span, what, desk) DO UPDATE SET count = sample_tallies.count + 1
$$;

-- As before, in that order.
CREATE OR REPLACE FUNCTION rows_limited() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    of_desk uuid := (SELECT desk FROM asking());
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('klartone.audit.service', 0));
    -- Nobody asks: a restored database is told what it has lost.
    IF of_desk IS NOT NULL AND rated(of_desk, TG_ARGV[0], 'day', 1) > TG_ARGV[1]::bigint THEN
        RAISE EXCEPTION 'too much' USING ERRCODE = 'KT429';
    END IF;
    RETURN NULL;
END $$;
