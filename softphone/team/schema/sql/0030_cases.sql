-- Cases are received by who hears of them, and decided by custody. What protects happens at once; a case prolongs nothing.

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

-- One that a desk opened in the call and that comes with its recording: it is to be decided as any other.
CREATE FUNCTION case_arrived(of uuid, of_kind text, of_received_at timestamptz, by_day date, until timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    made bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM recordings r WHERE r.recording = of AND r.desk = who.desk) OR EXISTS (
            SELECT FROM case_recordings o JOIN cases c USING (number) WHERE o.recording = of AND c.kind = of_kind) THEN
        RETURN;
    END IF;
    INSERT INTO cases (kind, received_at, received_how, received_by, identity, deadline, overdue_at)
        VALUES (of_kind, least(of_received_at, statement_timestamp()), 'call', who.person, '{}', by_day, until) RETURNING number INTO made;
    INSERT INTO case_recordings (number, recording) VALUES (made, of);
    PERFORM note('case_opened', CASE of_kind WHEN 'grounds_given' THEN 'G32' ELSE 'G23' END, (SELECT r.call::text FROM recordings r
        WHERE r.recording = of), of, jsonb_build_object('case', made, 'kind', of_kind));
END $$;

-- What an agent hears after an own call has arrived: an objection, or grounds against training. Nothing is restricted without a case
-- that custody can decide. `of_case`: the desk's id, which makes it the same when it is told again, also once it is decided. Another
-- id is another objection: the party may object again. `of_whole`: nothing but training was there. False: it is not here.
CREATE FUNCTION case_heard(of_case uuid, of uuid, of_kind text, of_whole boolean, of_received_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    row recordings;
    zone text;
    received timestamptz;
    day date;
    made bigint;
BEGIN
    SELECT r.* INTO row FROM recordings r WHERE r.recording = of AND r.desk = who.desk AND r.agent = ANY (who.agents) FOR UPDATE;
    IF row.recording IS NULL OR of_kind NOT IN ('objection', 'grounds_given') THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM case_recordings o WHERE o.recording = of AND of_case = ANY (o.heard)) THEN
        RETURN true;
    END IF;
    -- A desk that was away for long tells of it with the recording.
    IF greatest(row.opened_at, row.arrived_at) < own_since() THEN
        RAISE EXCEPTION 'not your call any more' USING ERRCODE = 'KT403';
    END IF;
    UPDATE case_recordings o SET heard = o.heard || of_case FROM cases c
        WHERE c.number = o.number AND c.kind = of_kind AND o.recording = of AND o.decision IS NULL;
    IF NOT FOUND THEN
        SELECT c.time_zone INTO zone FROM calls c WHERE c.call = row.call;
        received := least(greatest(of_received_at, row.opened_at), statement_timestamp());
        -- As `softphone.domain.retention.ANSWER_WITHIN` has it.
        day := ((received AT TIME ZONE zone)::date + interval '1 month')::date;
        INSERT INTO cases (kind, received_at, received_how, received_by, identity, deadline, overdue_at)
            VALUES (of_kind, received, 'call', who.person, '{}', day, day_begins(day + 1, zone)) RETURNING number INTO made;
        INSERT INTO case_recordings (number, recording, heard) VALUES (made, of, ARRAY [of_case]);
        PERFORM note('case_opened', CASE of_kind WHEN 'grounds_given' THEN 'G32' ELSE 'G23' END, row.call::text, of,
            jsonb_build_object('case', made, 'kind', of_kind));
    END IF;
    IF of_whole THEN
        DELETE FROM wraps w WHERE w.recording = of AND w.role <> 'custody';
        UPDATE recordings r SET restricted = of_kind WHERE r.recording = of AND r.restricted IS NULL;
    ELSE
        PERFORM purposes_end(ARRAY [of], ARRAY ['training'], 'taken_back', of_kind);
    END IF;
    RETURN true;
END $$;

-- For services that know no id of what was heard: one case of a kind. Returns the call's zone; none: it is not here.
CREATE FUNCTION case_told(of uuid, of_kind text, of_whole boolean) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
BEGIN
    PERFORM FROM recordings r WHERE r.recording = of AND r.desk = who.desk FOR UPDATE;
    IF NOT EXISTS (SELECT FROM case_recordings o JOIN cases c USING (number) WHERE o.recording = of AND c.kind = of_kind)
            AND NOT case_heard(gen_random_uuid(), of, of_kind, of_whole, statement_timestamp()) THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT c.time_zone FROM recordings r JOIN calls c USING (call)
        WHERE r.recording = of AND r.desk = who.desk AND r.agent = ANY (who.agents));
END $$;

-- Undecided objections and grounds about recordings that are here, oldest first; of one recording, or of all. A row without one:
-- another custody key opens it.
CREATE FUNCTION cases_told(of uuid) RETURNS TABLE (number bigint, recording uuid, call uuid, kind text, line text, received_at timestamptz,
        deadline date, goes_on date, overdue boolean, held boolean, time_zone text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    all_of boolean := i_find_all();
    custody text[] := my_keys('custody');
BEGIN
    PERFORM need('custody');
    IF custody = '{}' THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
    RETURN QUERY SELECT k.number, CASE WHEN all_of OR r.opened_by && custody THEN r.recording END,
            CASE WHEN all_of OR r.opened_by && custody THEN r.call END, k.kind, CASE WHEN all_of OR r.opened_by && custody THEN r.line END,
            k.received_at, k.deadline,
            -- Where a purpose that lives has no day, nothing says when it goes.
            (SELECT CASE WHEN count(*) = count(p.expires_on) THEN max(p.expires_on) END FROM purposes p
                WHERE p.recording = r.recording AND (p.stands = 'keeps' OR p.reason = 'grounds_given')),
            k.overdue_at <= statement_timestamp(), r.held, c.time_zone
        FROM case_recordings o JOIN cases k USING (number) JOIN recordings r USING (recording) JOIN calls c USING (call)
        WHERE o.decision IS NULL AND k.kind IN ('objection', 'grounds_given') AND (of IS NULL OR o.recording = of)
        ORDER BY k.received_at, r.recording, k.number;
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

-- Custody decides what is open about this recording, each once, with a reason that the person gets: `number` alone, of the cases that
-- were told. `anew`: what is sealed again where it is not upheld. An upheld one is remembered for the number and the line, so that
-- later calls are not recorded for it. Also where grounds were given against all that was recorded: then they restrict it, as an
-- objection does. Returns `gone`, `held` (only a hold keeps it), `kept`, and whether the number is remembered.
CREATE FUNCTION case_settle(of_number bigint, of uuid, uphold boolean, of_why text, anew jsonb, until timestamptz)
    RETURNS TABLE (result text, remembered boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('custody');
    its cases;
    row recordings;
    hash bytea;
    about text;
    rule text;
    unopened text[];
    knows boolean := false;
    out text := 'kept';
BEGIN
    PERFORM need_custody();
    SELECT * INTO its FROM cases c WHERE c.number = of_number FOR UPDATE;
    SELECT * INTO row FROM recordings r WHERE r.recording = of FOR UPDATE;
    IF row.recording IS NULL OR its.kind NOT IN ('objection', 'grounds_given') THEN
        RAISE EXCEPTION 'no such case' USING ERRCODE = 'KT404';
    END IF;
    UPDATE case_recordings c SET decision = CASE WHEN uphold THEN 'upheld' ELSE 'not_upheld' END, reason = of_why,
            decided_by = who.person, decided_at = statement_timestamp()
        WHERE c.number = of_number AND c.recording = of AND c.decision IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'decided, or not of it' USING ERRCODE = 'KT409';
    END IF;
    about := CASE its.kind WHEN 'objection' THEN 'documentation' ELSE 'training' END;
    rule := CASE its.kind WHEN 'objection' THEN 'G23' ELSE 'G32' END;
    UPDATE recordings r SET restricted = NULL WHERE r.recording = of AND r.restricted = its.kind
        AND NOT EXISTS (SELECT FROM case_recordings o JOIN cases c USING (number)
            WHERE o.recording = of AND o.decision IS NULL AND c.kind = its.kind);
    IF uphold THEN
        UPDATE purposes p SET stands = 'upheld', reason = 'upheld' WHERE p.recording = of AND p.purpose = about;
        DELETE FROM wraps w WHERE w.recording = of AND w.role = about;
        SELECT n.number_hash INTO hash FROM call_numbers n WHERE n.call = row.call;
        IF hash IS NOT NULL AND row.line IS NOT NULL THEN
            INSERT INTO remembered VALUES (hash, 'upheld', row.line, about, '', statement_timestamp(), until, statement_timestamp())
                ON CONFLICT (number_hash, what, line, purpose) DO UPDATE SET told_at = excluded.told_at, at = least(remembered.at, excluded.at),
                    until = greatest(remembered.until, excluded.until);
            knows := true;
        END IF;
    ELSE
        UPDATE purposes p SET stands = 'keeps', reason = NULL WHERE p.recording = of AND p.purpose = 'training'
            AND its.kind = 'grounds_given' AND p.stands = 'taken_back' AND p.reason = 'grounds_given';
        PERFORM apply_known(of);
        unopened := seal_living(of, '{documentation,training}', anew);
        IF unopened <> '{}' THEN
            RAISE EXCEPTION 'nobody could open it' USING ERRCODE = 'KT422';
        END IF;
    END IF;
    PERFORM note(CASE WHEN uphold THEN 'case_upheld' ELSE 'case_rejected' END, rule, row.call::text, of,
        jsonb_build_object('case', of_number, 'purpose', about, 'why', of_why));
    IF erase_unless_kept(of, 'case_' || its.kind) THEN
        out := 'gone';
    ELSIF (SELECT r.restricted = 'hold_only' FROM recordings r WHERE r.recording = of) THEN
        out := 'held';
    END IF;
    UPDATE cases c SET state = 'decided' WHERE c.number = of_number AND c.state = 'open'
        AND NOT EXISTS (SELECT FROM case_recordings r WHERE r.number = of_number AND r.decision IS NULL);
    RETURN QUERY SELECT out, knows;
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

-- By a case handler or data protection, who have proved a key: in the whole call group of a recording, or in all of a number that is
-- here. A case of each, which data protection decides as any other, within a month of the day on which the letter came; NULL: today.
-- Which recordings it was is told to who named it, or finds it. Done again, it changes nothing.
CREATE FUNCTION objection_received(of uuid, of_hash bytea, of_day date, remembered_until timestamptz)
    RETURNS TABLE (recording uuid, purposes text[], gone boolean, restricted text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('case_handler', 'custody');
    of_group uuid;
    its_hash bytea := of_hash;
    these uuid[];
    one record;
    ended text[];
    received timestamptz;
    day date;
    made bigint;
BEGIN
    IF NOT i_have_a_key() THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
    IF of IS NOT NULL THEN
        SELECT c.call_group, n.number_hash INTO of_group, its_hash
            FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call) WHERE r.recording = of;
        IF of_group IS NULL THEN
            RAISE EXCEPTION 'no such recording' USING ERRCODE = 'KT404';
        END IF;
    END IF;
    PERFORM lock_party(of_group, its_hash);
    these := ARRAY (SELECT r.recording FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call)
        WHERE c.call_group = of_group OR (of IS NULL AND n.number_hash = of_hash) ORDER BY r.recording);
    PERFORM FROM recordings r WHERE r.recording = ANY (these) ORDER BY r.recording FOR UPDATE;
    PERFORM note('object_sought', 'G23', coalesce(of_group::text, ''), NULL, jsonb_build_object('count', cardinality(these)));
    -- As `Basis.can_be_objected_to` has it. What is restricted is objected to, or nothing but training was there.
    FOR one IN SELECT r.recording, r.call, r.opened_at, c.time_zone, i_see(r) AS seen FROM recordings r JOIN calls c USING (call)
            WHERE r.recording = ANY (these) AND r.restricted IS NULL AND EXISTS (SELECT FROM purposes p WHERE p.recording = r.recording
                AND p.purpose = 'documentation' AND p.stands = 'keeps' AND p.basis IN ('legitimate_interest', 'public_task'))
            ORDER BY r.recording LOOP
        ended := ARRAY (SELECT p.purpose FROM purposes p WHERE p.recording = one.recording AND p.purpose = 'training'
            AND (p.stands = 'keeps' OR (p.stands = 'taken_back' AND p.reason = 'grounds_given')));
        PERFORM purposes_end(ARRAY [one.recording], ended, 'taken_back', 'objection');
        DELETE FROM wraps w WHERE w.recording = one.recording AND w.role <> 'custody';
        UPDATE recordings r SET restricted = 'objection' WHERE r.recording = one.recording;
        received := least(greatest(coalesce(day_begins(of_day, one.time_zone), statement_timestamp()), one.opened_at), statement_timestamp());
        -- As `softphone.domain.retention.ANSWER_WITHIN` has it.
        day := ((received AT TIME ZONE one.time_zone)::date + interval '1 month')::date;
        INSERT INTO cases (kind, received_at, received_how, received_by, identity, deadline, overdue_at)
            VALUES ('objection', received, 'letter', who.person, '{}', day, day_begins(day + 1, one.time_zone))
            RETURNING number INTO made;
        INSERT INTO case_recordings (number, recording) VALUES (made, one.recording);
        PERFORM note('case_opened', 'G23', one.call::text, one.recording, jsonb_build_object('case', made, 'kind', 'objection'));
        RETURN QUERY SELECT CASE WHEN one.recording IS NOT DISTINCT FROM of OR (of IS NULL AND one.seen) THEN one.recording END,
            ended, false, 'case'::text;
    END LOOP;
    IF made IS NOT NULL AND its_hash IS NOT NULL THEN
        INSERT INTO remembered VALUES (its_hash, 'refused', '', '', '', statement_timestamp(), remembered_until, statement_timestamp())
            ON CONFLICT (number_hash, what, line, purpose) DO UPDATE SET told_at = greatest(remembered.told_at, excluded.told_at),
                at = least(remembered.at, excluded.at), until = greatest(remembered.until, excluded.until);
        PERFORM note('refusal_remembered', 'G31', '', NULL, '{}');
    END IF;
END $$;
