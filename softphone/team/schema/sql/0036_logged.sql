-- The service's log says who, and of whom, in the words that a desk's log has for it.

-- As before; the entries say whose session it is.
CREATE OR REPLACE FUNCTION session_open(
    session uuid, token_hash bytea, refresh_hash bytea, issuer text, subject text, roles text[], agents text[],
    desk uuid, desk_key bytea, thumbprint text, lives interval, refreshes interval
) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who uuid;
    machine desks;
BEGIN
    INSERT INTO people (person, issuer, subject) VALUES (gen_random_uuid(), $4, $5)
        ON CONFLICT (issuer, subject) DO UPDATE SET left_at = people.left_at RETURNING person INTO who;
    IF (SELECT left_at FROM people WHERE person = who) IS NOT NULL THEN
        RAISE EXCEPTION 'left' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO desks (desk, person, public_key, thumbprint) VALUES ($8, who, $9, $10) ON CONFLICT DO NOTHING;
    SELECT * INTO machine FROM desks d WHERE d.desk = $8;
    -- Somebody joined by a code before the house signed in by its directory: the desk, by the same key, is from now on theirs whom
    -- the directory names there. Nothing that the code's person could do goes on.
    IF machine.person <> who AND $4 <> '' AND machine.thumbprint = $10 AND machine.revoked_at IS NULL
        AND EXISTS (SELECT FROM people p WHERE p.person = machine.person AND p.issuer = '') THEN
        UPDATE desks d SET person = who WHERE d.desk = $8 RETURNING * INTO machine;
        UPDATE sessions s SET ended_at = statement_timestamp() WHERE s.desk = $8 AND s.ended_at IS NULL;
        PERFORM note('desk_moved', 'G11', '', NULL, jsonb_build_object('of', who, 'desk', $8));
    END IF;
    IF machine.desk IS NULL OR machine.thumbprint <> $10 OR machine.person <> who OR machine.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'another desk' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO sessions (session, token_hash, refresh_hash, person, desk, roles, agents, expires_at, refresh_until)
        VALUES ($1, $2, $3, who, $8, $6, addresses($7), statement_timestamp() + $11, statement_timestamp() + $12);
    PERFORM note('signed_in', 'G11', '', NULL, jsonb_build_object('of', who, 'desk', $8, 'roles', $6));
    RETURN who;
END $$;

-- As before. `person_left` is a desk's: somebody has left a call.
CREATE OR REPLACE FUNCTION person_leaves(of uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('it');
    UPDATE people SET left_at = statement_timestamp() WHERE person = of AND left_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE sessions SET ended_at = statement_timestamp() WHERE person = of AND ended_at IS NULL;
    PERFORM note('person_departed', 'G11', '', NULL, jsonb_build_object('of', of));
    RETURN true;
END $$;

-- As before; the day has the name that a desk's log gives it.
CREATE OR REPLACE FUNCTION judge_listed(of uuid, of_purpose text, by_day date, until timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    UPDATE purposes SET judge_by = by_day, judge_until = until WHERE recording = of AND purpose = of_purpose
        AND stands = 'keeps' AND at_end = 'review' AND judge_until IS NULL AND ends_at <= statement_timestamp();
    IF FOUND THEN
        DELETE FROM wraps WHERE recording = of AND role = of_purpose;
        PERFORM note('sweep_to_judge', 'G10', '', of, jsonb_build_object('purpose', of_purpose, 'judge_by', by_day));
    END IF;
END $$;

-- As before; data protection also reads who did it, as far as the service itself says so.
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
        LEFT JOIN people p ON e.chain = 'service' AND i_find_all() AND p.person::text = e.j ->> 'person'
        ORDER BY 1, e.chain = 'service', e.number LIMIT 2000;
END $$;
