-- Cases are received by who hears of them, and decided by custody. What protects happens at once; a case prolongs nothing.

CREATE FUNCTION need_custody() RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('custody');
    IF NOT i_find_all() THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
END $$;

-- `concerns`: [{key_id, suite, sealed}], for custody keys. An agent receives one about own calls. Returns its number.
CREATE FUNCTION case_open(
    of_kind text, of_received_at timestamptz, how text, of_identity text[], by_day date, until timestamptz,
    concerns jsonb, these uuid[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'custody');
    made bigint;
    one recordings;
BEGIN
    IF NOT EXISTS (SELECT FROM jsonb_to_recordset(concerns) AS c (key_id text)) OR EXISTS (
            SELECT FROM jsonb_to_recordset(concerns) AS c (key_id text) WHERE NOT EXISTS (SELECT FROM policy_keys k
            WHERE k.number = newest_policy() AND k.role = 'custody' AND k.key_id = c.key_id)) THEN
        RAISE EXCEPTION 'not sealed for custody' USING ERRCODE = 'KT422';
    END IF;
    IF until > least(of_received_at, statement_timestamp()) + interval '1 month 2 days' THEN
        RAISE EXCEPTION 'too late a deadline' USING ERRCODE = 'KT422';
    END IF;
    IF NOT ('agent' = ANY (who.roles) OR i_have_a_key()) THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
    PERFORM FROM recordings r WHERE r.recording = ANY (these) ORDER BY r.recording FOR UPDATE;
    INSERT INTO cases (kind, received_at, received_how, received_by, identity, deadline, overdue_at)
        VALUES (of_kind, least(of_received_at, statement_timestamp()), how, who.person, of_identity, by_day, until)
        RETURNING number INTO made;
    INSERT INTO case_concerns SELECT made, c.key_id, c.suite, decode(c.sealed, 'hex')
        FROM jsonb_to_recordset(concerns) AS c (key_id text, suite text, sealed text);
    FOR one IN SELECT * FROM recordings r WHERE r.recording = ANY (these) ORDER BY r.recording LOOP
        IF NOT ((who.roles && ARRAY ['case_handler', 'custody'] AND i_have_a_key()) OR one.agent = ANY (who.agents)) THEN
            RAISE EXCEPTION 'not your call' USING ERRCODE = 'KT403';
        END IF;
        INSERT INTO case_recordings (number, recording) VALUES (made, one.recording);
        IF of_kind = 'objection' THEN
            PERFORM purposes_end(ARRAY [one.recording], ARRAY ['training'], 'taken_back', 'objection');
            DELETE FROM wraps w WHERE w.recording = one.recording AND w.role <> 'custody';
            UPDATE recordings r SET restricted = 'objection' WHERE r.recording = one.recording AND r.restricted IS NULL;
        ELSIF of_kind = 'grounds_given' THEN
            PERFORM purposes_end(ARRAY [one.recording], ARRAY ['training'], 'taken_back', 'grounds_given');
        END IF;
        PERFORM note('case_opened', CASE of_kind WHEN 'grounds_given' THEN 'G32' WHEN 'access' THEN 'G08' WHEN 'erasure' THEN 'G37'
            ELSE 'G23' END, one.call::text, one.recording, jsonb_build_object('case', made, 'kind', of_kind));
        PERFORM erase_unless_kept(one.recording, of_kind);
    END LOOP;
    RETURN made;
END $$;

-- By custody, once each, with a reason that the person gets. `anew`: what custody seals anew where an objection was not upheld.
-- Returns `upheld`, `not_upheld`, `training_ended` (nobody could open it again), or `gone` (nothing of the recording is left).
CREATE FUNCTION case_decide(of bigint, of_recording uuid, uphold boolean, why text, anew jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('custody');
    its cases;
    row recordings;
    out text := CASE WHEN uphold THEN 'upheld' ELSE 'not_upheld' END;
    about text;
BEGIN
    IF NOT i_find_all() THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
    SELECT * INTO its FROM cases c WHERE c.number = of FOR UPDATE;
    SELECT * INTO row FROM recordings r WHERE r.recording = of_recording FOR UPDATE;
    UPDATE case_recordings c SET decision = out, reason = why, decided_by = who.person, decided_at = statement_timestamp()
        WHERE c.number = of AND c.recording = of_recording AND c.decision IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'decided, or not of it' USING ERRCODE = 'KT409';
    END IF;
    about := CASE its.kind WHEN 'objection' THEN 'documentation' WHEN 'grounds_given' THEN 'training' END;
    PERFORM note(CASE WHEN uphold THEN 'case_upheld' ELSE 'case_rejected' END, 'G23', coalesce(row.call::text, ''), of_recording,
        jsonb_build_object('case', of));
    IF row.recording IS NOT NULL AND uphold AND its.kind IN ('erasure', 'undeclared') THEN
        PERFORM purposes_end(ARRAY [of_recording], ARRAY ['documentation', 'training'], 'upheld', its.kind);
        IF erase_unless_kept(of_recording, 'case_' || its.kind) THEN
            out := 'gone';
        END IF;
    END IF;
    IF row.recording IS NOT NULL AND about IS NOT NULL THEN
        IF uphold THEN
            UPDATE purposes p SET stands = 'upheld' WHERE p.recording = of_recording AND p.purpose = about;
            DELETE FROM wraps w WHERE w.recording = of_recording AND w.role = about;
        ELSE
            UPDATE recordings r SET restricted = NULL WHERE r.recording = of_recording AND r.restricted = 'objection'
                AND its.kind = 'objection' AND NOT EXISTS (SELECT FROM case_recordings o JOIN cases c USING (number)
                    WHERE o.recording = of_recording AND o.decision IS NULL AND c.kind = 'objection');
            UPDATE purposes p SET stands = 'keeps', reason = NULL WHERE p.recording = of_recording AND p.purpose = 'training'
                AND its.kind = 'grounds_given' AND p.stands = 'taken_back' AND p.reason = 'grounds_given';
            PERFORM apply_known(of_recording);
            SELECT * INTO row FROM recordings r WHERE r.recording = of_recording;
            IF row.restricted IS NULL AND lives_for(row, about) AND NOT seal_anew(of_recording, about, anew)
                AND about = 'training' THEN
                PERFORM purposes_end(ARRAY [of_recording], ARRAY ['training'], 'taken_back', 'training_unopened');
                out := 'training_ended';
            END IF;
        END IF;
        IF erase_unless_kept(of_recording, 'case_' || its.kind) THEN
            out := 'gone';
        END IF;
    END IF;
    UPDATE cases c SET state = 'decided' WHERE c.number = of AND c.state = 'open'
        AND NOT EXISTS (SELECT FROM case_recordings r WHERE r.number = of AND r.decision IS NULL);
    RETURN out;
END $$;

-- Two more months, told within the first (art. 12(3)).
CREATE FUNCTION case_extend(of bigint, why text, by_day date, until timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need_custody();
    UPDATE cases c SET deadline = by_day, overdue_at = until, extended_reason = why
        WHERE c.number = of AND c.extended_reason IS NULL AND c.state IN ('open', 'decided') AND c.overdue_at > statement_timestamp()
            AND until <= c.received_at + interval '3 months 2 days';
    IF FOUND THEN
        PERFORM note('case_extended', 'G08', '', NULL, jsonb_build_object('case', of, 'until', by_day));
    END IF;
    RETURN FOUND;
END $$;

-- The person was told; then it can be closed. False: it is not that far.
CREATE FUNCTION case_answered(of bigint) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need_custody();
    UPDATE cases SET state = 'answered', answered_at = statement_timestamp() WHERE number = of AND state IN ('open', 'decided')
        -- Of whom we have nothing is told so.
        AND NOT EXISTS (SELECT FROM case_recordings r WHERE r.number = of AND r.decision IS NULL);
    IF FOUND THEN
        PERFORM note('case_answered', 'G08', '', NULL, jsonb_build_object('case', of));
    END IF;
    RETURN FOUND;
END $$;

CREATE FUNCTION case_close(of bigint) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need_custody();
    UPDATE cases SET state = 'closed', closed_at = statement_timestamp() WHERE number = of AND state = 'answered';
    IF FOUND THEN
        PERFORM note('case_closed', 'G08', '', NULL, jsonb_build_object('case', of));
    END IF;
    RETURN FOUND;
END $$;
