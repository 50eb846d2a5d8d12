-- A case is received by who hears of it, and decided by custody. What protects happens at once; a case prolongs nothing.

-- Each is made here, however it was received. It is as old as its letter, and no older than the recording.
CREATE FUNCTION case_make(of uuid, of_kind text, of_received_at timestamptz, how text, by uuid, of_heard uuid[])
    RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
    zone text;
    received timestamptz;
    day date;
    made bigint;
BEGIN
    SELECT r.* INTO row FROM recordings r WHERE r.recording = of;
    SELECT c.time_zone INTO zone FROM calls c WHERE c.call = row.call;
    received := least(greatest(of_received_at, row.opened_at), statement_timestamp());
    -- As `softphone.domain.retention.ANSWER_WITHIN` has it.
    day := ((received AT TIME ZONE zone)::date + interval '1 month')::date;
    INSERT INTO cases (recording, kind, received_at, received_how, received_by, deadline, overdue_at, heard)
        VALUES (of, of_kind, received, how, by, day, day_begins(day + 1, zone), of_heard) RETURNING number INTO made;
    PERFORM note('case_opened', CASE of_kind WHEN 'grounds_given' THEN 'G32' ELSE 'G23' END, row.call::text, of,
        jsonb_build_object('case', made, 'kind', of_kind));
END $$;

-- What follows at once. `of_whole`: custody alone opens the recording until it is decided. False: training ends, and the rest goes on.
CREATE FUNCTION case_restricts(of uuid, of_kind text, of_whole boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
BEGIN
    IF of_whole THEN
        DELETE FROM wraps w WHERE w.recording = of AND w.role <> 'custody';
        UPDATE recordings r SET restricted = of_kind WHERE r.recording = of AND r.restricted IS NULL;
    ELSE
        PERFORM purposes_end(ARRAY [of], ARRAY ['training'], 'taken_back', of_kind);
    END IF;
END $$;

-- One that a desk opened in the call and that comes with its recording: it is to be decided as any other.
CREATE FUNCTION case_arrived(of uuid, of_kind text, of_received_at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
BEGIN
    IF EXISTS (SELECT FROM recordings r WHERE r.recording = of AND r.desk = who.desk)
            AND NOT EXISTS (SELECT FROM cases c WHERE c.recording = of AND c.kind = of_kind) THEN
        PERFORM case_make(of, of_kind, of_received_at, 'call', who.person, '{}');
    END IF;
END $$;

-- What an agent hears after an own call has arrived: an objection, or grounds against training. Nothing is restricted without a case
-- that custody can decide. `of_case`: the desk's id, which makes it the same when it is told again, also once it is decided. Another
-- id is another objection: the party may object again. False: it is not here.
CREATE FUNCTION case_heard(of_case uuid, of uuid, of_kind text, of_whole boolean, of_received_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    row recordings;
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
    -- What is open already is decided with this one.
    UPDATE cases c SET heard = c.heard || of_case WHERE c.recording = of AND c.kind = of_kind AND c.decision IS NULL;
    IF NOT FOUND THEN
        PERFORM case_make(of, of_kind, of_received_at, 'call', who.person, ARRAY [of_case]);
    END IF;
    PERFORM case_restricts(of, of_kind, of_whole);
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
