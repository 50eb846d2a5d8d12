-- A case is received by who hears of it, and decided by custody. What protects happens at once; a case prolongs nothing.

-- One that a desk opened in the call and that comes with its recording: it is to be decided as any other.
CREATE FUNCTION case_arrived(of uuid, of_kind text, of_received_at timestamptz, by_day date, until timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    made bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM recordings r WHERE r.recording = of AND r.desk = who.desk) OR EXISTS (
            SELECT FROM cases c WHERE c.recording = of AND c.kind = of_kind) THEN
        RETURN;
    END IF;
    INSERT INTO cases (recording, kind, received_at, received_how, received_by, deadline, overdue_at)
        VALUES (of, of_kind, least(of_received_at, statement_timestamp()), 'call', who.person, by_day, until) RETURNING number INTO made;
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
    IF EXISTS (SELECT FROM cases c WHERE c.recording = of AND of_case = ANY (c.heard)) THEN
        RETURN true;
    END IF;
    -- A desk that was away for long tells of it with the recording.
    IF greatest(row.opened_at, row.arrived_at) < own_since() THEN
        RAISE EXCEPTION 'not your call any more' USING ERRCODE = 'KT403';
    END IF;
    UPDATE cases c SET heard = c.heard || of_case WHERE c.recording = of AND c.kind = of_kind AND c.decision IS NULL;
    IF NOT FOUND THEN
        SELECT c.time_zone INTO zone FROM calls c WHERE c.call = row.call;
        received := least(greatest(of_received_at, row.opened_at), statement_timestamp());
        -- As `softphone.domain.retention.ANSWER_WITHIN` has it.
        day := ((received AT TIME ZONE zone)::date + interval '1 month')::date;
        INSERT INTO cases (recording, kind, received_at, received_how, received_by, deadline, overdue_at, heard)
            VALUES (of, of_kind, received, 'call', who.person, day, day_begins(day + 1, zone), ARRAY [of_case]) RETURNING number INTO made;
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
        FROM cases k JOIN recordings r USING (recording) JOIN calls c USING (call)
        WHERE k.decision IS NULL AND (of IS NULL OR k.recording = of)
        ORDER BY k.received_at, r.recording, k.number;
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
    SELECT * INTO row FROM recordings r WHERE r.recording = of FOR UPDATE;
    IF row.recording IS NULL THEN
        RAISE EXCEPTION 'no such case' USING ERRCODE = 'KT404';
    END IF;
    UPDATE cases c SET decision = CASE WHEN uphold THEN 'upheld' ELSE 'not_upheld' END, reason = of_why,
            decided_by = who.person, decided_at = statement_timestamp()
        WHERE c.number = of_number AND c.recording = of AND c.decision IS NULL RETURNING c.* INTO its;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'decided, or not of it' USING ERRCODE = 'KT409';
    END IF;
    about := CASE its.kind WHEN 'objection' THEN 'documentation' ELSE 'training' END;
    rule := CASE its.kind WHEN 'objection' THEN 'G23' ELSE 'G32' END;
    UPDATE recordings r SET restricted = NULL WHERE r.recording = of AND r.restricted = its.kind
        AND NOT EXISTS (SELECT FROM cases c WHERE c.recording = of AND c.decision IS NULL AND c.kind = its.kind);
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
    RETURN QUERY SELECT out, knows;
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
        INSERT INTO cases (recording, kind, received_at, received_how, received_by, deadline, overdue_at)
            VALUES (one.recording, 'objection', received, 'letter', who.person, day, day_begins(day + 1, one.time_zone))
            RETURNING number INTO made;
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
