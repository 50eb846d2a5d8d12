-- Narrower keys, and notes that a restored database does not bring back.

-- Keys are handed out where there is something to decide: a hold that stands, a purpose that waits, a case. To hear it takes a case's
-- number, and that entry of the log.
CREATE OR REPLACE FUNCTION keys_to_decide(of uuid) RETURNS TABLE (line text, segment integer, purposes text[], key_id text, suite text,
        sealed bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    row recordings;
BEGIN
    PERFORM need_custody();
    SELECT * INTO row FROM recordings r WHERE r.recording = of;
    IF row.recording IS NULL OR NOT (row.held
            OR EXISTS (SELECT FROM purposes p WHERE p.recording = of AND (to_judge(of, p.purpose)).recording IS NOT NULL)
            OR EXISTS (SELECT FROM case_recordings c WHERE c.recording = of AND c.decision IS NULL)) THEN
        RAISE EXCEPTION 'nothing to decide' USING ERRCODE = 'KT404';
    END IF;
    PERFORM note('keys_to_decide', 'G11', row.call::text, of, jsonb_build_object('role', 'custody'));
    RETURN QUERY SELECT row.line, s.segment, s.purposes, w.key_id, w.suite, w.sealed
        FROM segments s JOIN wraps w ON w.recording = s.recording AND w.segment = s.segment AND w.role = 'custody'
            AND 'custody:' || w.key_id = ANY (my_keys('custody'))
        WHERE s.recording = of AND lives_for(row, 'custody') ORDER BY s.segment, w.key_id;
END $$;

-- Also where grounds were given against all that was recorded: then they restrict it, as an objection does.
CREATE OR REPLACE FUNCTION case_settle(of_number bigint, of uuid, uphold boolean, of_why text, anew jsonb, until timestamptz)
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

-- A note that data protection has erased stays erased in a database that was restored.
CREATE OR REPLACE FUNCTION stone_laid() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row jsonb := to_jsonb(NEW);
    id text;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'purposes' THEN
            IF NEW.stands = 'expired' AND NEW.reason IN ('expired', 'not_judged') THEN
                RETURN NULL;
            END IF;
            id := NEW.recording || '/' || NEW.purpose;
            row := jsonb_build_object('recording', NEW.recording, 'purpose', NEW.purpose, 'stands', NEW.stands, 'reason', NEW.reason);
        WHEN 'recordings' THEN
            id := NEW.recording;
            row := jsonb_build_object('recording', NEW.recording, 'restricted', NEW.restricted);
        WHEN 'holds' THEN id := NEW.hold;
        WHEN 'call_notes' THEN
            id := NEW.call;
            row := jsonb_build_object('call', NEW.call, 'erased_at', NEW.erased_at);
        WHEN 'withdrawals' THEN id := NEW.withdrawal;
        WHEN 'remembered' THEN
            id := encode(sha256(NEW.number_hash || convert_to(concat_ws('/', NEW.what, NEW.line, NEW.purpose), 'UTF8')), 'hex');
        WHEN 'desks' THEN
            id := NEW.desk;
            row := jsonb_build_object('desk', NEW.desk, 'revoked_at', NEW.revoked_at);
        ELSE
            id := NEW.person;
            row := jsonb_build_object('person', NEW.person, 'left_at', NEW.left_at);
    END CASE;
    INSERT INTO stones (what, id, at, told) VALUES (TG_TABLE_NAME, id, clock_timestamp(), row) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION stone_apply(of_what text, of_id text, of_at timestamptz, told jsonb, counts boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    of uuid := (told ->> 'recording')::uuid;
    one withdrawals;
    number remembered;
    its holds;
    reached uuid;
BEGIN
    INSERT INTO stones VALUES (of_what, of_id, of_at, told, statement_timestamp()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF NOT counts THEN
        RETURN true;
    END IF;
    CASE of_what
        WHEN 'purposes' THEN
            IF told ->> 'stands' <> 'keeps' THEN
                PERFORM purposes_end(ARRAY [of], ARRAY [told ->> 'purpose'], told ->> 'stands', told ->> 'reason');
                PERFORM erase_unless_kept(of, coalesce(told ->> 'reason', 'restored'));
            END IF;
        WHEN 'recordings' THEN
            IF told ->> 'restricted' IS NOT NULL THEN
                UPDATE recordings SET restricted = told ->> 'restricted' WHERE recording = of;
                DELETE FROM wraps WHERE recording = of AND role <> 'custody';
            END IF;
        WHEN 'holds' THEN
            its := jsonb_populate_record(NULL::holds, told);
            IF its.lifted_at IS NULL AND EXISTS (SELECT FROM recordings r WHERE r.recording = of) THEN
                UPDATE holds h SET hold = h.hold || '-' || floor(extract(epoch FROM clock_timestamp()) * 1000)::text
                    WHERE h.hold = its.hold AND h.lifted_at IS NOT NULL;
                INSERT INTO holds SELECT its.* ON CONFLICT DO NOTHING;
                IF FOUND THEN
                    INSERT INTO hold_words (hold, raised_by, why) VALUES (its.hold, 'restored', 'restored');
                    DELETE FROM wraps w WHERE w.recording = of AND w.role = 'training';
                END IF;
            ELSE
                -- Its end brings no keys back: custody seals anew what is to be heard again.
                UPDATE holds SET lifted_at = its.lifted_at WHERE hold = its.hold AND lifted_at IS NULL;
                IF FOUND THEN
                    PERFORM erase_unless_kept(of, 'hold_lifted');
                END IF;
            END IF;
        WHEN 'call_notes' THEN
            UPDATE call_notes SET erased_at = (told ->> 'erased_at')::timestamptz, number_hash = NULL WHERE call = of_id::uuid;
            DELETE FROM call_note_seals WHERE call = of_id::uuid;
        WHEN 'withdrawals' THEN
            one := jsonb_populate_record(NULL::withdrawals, told);
            PERFORM lock_party(one.call_group, one.number_hash);
            PERFORM person_known(one.person);
            INSERT INTO withdrawals SELECT one.* ON CONFLICT DO NOTHING;
            FOR reached IN SELECT r.recording FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call)
                    WHERE c.call_group = one.call_group OR n.number_hash = one.number_hash ORDER BY r.recording LOOP
                PERFORM apply_known(reached);
                PERFORM erase_unless_kept(reached, one.reason);
            END LOOP;
        WHEN 'remembered' THEN
            number := jsonb_populate_record(NULL::remembered, told);
            PERFORM lock_party(NULL, number.number_hash);
            INSERT INTO remembered SELECT number.* ON CONFLICT (number_hash, what, line, purpose) DO UPDATE
                SET value = CASE WHEN excluded.told_at >= remembered.told_at THEN excluded.value ELSE remembered.value END,
                    told_at = greatest(remembered.told_at, excluded.told_at), at = least(remembered.at, excluded.at),
                    until = greatest(remembered.until, excluded.until);
        WHEN 'desks' THEN
            UPDATE desks SET revoked_at = (told ->> 'revoked_at')::timestamptz
                WHERE desk = (told ->> 'desk')::uuid AND revoked_at IS NULL AND told ->> 'revoked_at' IS NOT NULL;
        WHEN 'people' THEN
            UPDATE people SET left_at = (told ->> 'left_at')::timestamptz WHERE person = (told ->> 'person')::uuid AND left_at IS NULL;
    END CASE;
    RETURN true;
END $$;
