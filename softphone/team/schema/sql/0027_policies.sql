-- A policy that a restored database has lost: nobody is served by the one before, which may name whom the newer one had dropped.

-- The number of the newest that is not here. Null: it is here.
CREATE FUNCTION policy_lost() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT max((s.told ->> 'number')::bigint) FROM stones s
        WHERE s.what = 'policies' AND (s.told ->> 'number')::bigint > coalesce(newest_policy(), 0)
$$;
GRANT EXECUTE ON FUNCTION policy_lost() TO klartone_service;

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
            row := jsonb_build_object('recording', NEW.recording, 'purpose', NEW.purpose, 'stands', NEW.stands, 'reason', NEW.reason,
                'expires_on', NEW.expires_on, 'ends_at', NEW.ends_at);
        WHEN 'recordings' THEN
            id := NEW.recording;
            row := jsonb_build_object('recording', NEW.recording, 'restricted', NEW.restricted);
        WHEN 'holds' THEN id := NEW.hold;
        WHEN 'call_notes' THEN
            id := NEW.call;
            row := jsonb_build_object('call', NEW.call, 'erased_at', NEW.erased_at);
        WHEN 'policies' THEN
            id := 'newest';
            row := jsonb_build_object('number', NEW.number);
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

CREATE OR REPLACE FUNCTION stone_meets(of_what text, of_id text, told jsonb) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    of uuid := (told ->> 'recording')::uuid;
    one withdrawals;
    number remembered;
    its holds;
    reached uuid;
BEGIN
    CASE of_what
        WHEN 'purposes' THEN
            -- A review may have brought its end nearer.
            UPDATE purposes p SET ends_at = (told ->> 'ends_at')::timestamptz, expires_on = (told ->> 'expires_on')::date
                WHERE p.recording = of AND p.purpose = told ->> 'purpose' AND p.stands = 'keeps'
                    AND (told ->> 'ends_at')::timestamptz < coalesce(p.ends_at, 'infinity');
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
        WHEN 'policies' THEN
            NULL; -- The service refuses without it: `policy_lost`.
        WHEN 'desks' THEN
            UPDATE desks SET revoked_at = (told ->> 'revoked_at')::timestamptz
                WHERE desk = (told ->> 'desk')::uuid AND revoked_at IS NULL AND told ->> 'revoked_at' IS NOT NULL;
        WHEN 'people' THEN
            UPDATE people SET left_at = (told ->> 'left_at')::timestamptz WHERE person = (told ->> 'person')::uuid AND left_at IS NULL;
    END CASE;
END $$;

CREATE OR REPLACE FUNCTION stones_forget(older interval) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    went bigint;
BEGIN
    DELETE FROM stones s WHERE s.at <= statement_timestamp() - older AND s.written_at IS NOT NULL AND CASE
        WHEN s.what IN ('purposes', 'recordings', 'holds') THEN
            EXISTS (SELECT FROM recordings r WHERE r.recording = (s.told ->> 'recording')::uuid)
            OR EXISTS (SELECT FROM tombstones t WHERE t.recording = (s.told ->> 'recording')::uuid)
        -- No note lives longer.
        WHEN s.what = 'call_notes' THEN EXISTS (SELECT FROM call_notes n WHERE n.call = s.id::uuid)
            OR s.at <= statement_timestamp() - interval '400 days'
        WHEN s.what = 'policies' THEN (s.told ->> 'number')::bigint <= newest_policy()
        ELSE true
    END;
    GET DIAGNOSTICS went = ROW_COUNT;
    RETURN went;
END $$;

-- That of a house which took it in before this step.
INSERT INTO stones (what, id, at, told) SELECT 'policies', 'newest', statement_timestamp(), jsonb_build_object('number', newest_policy())
    WHERE newest_policy() IS NOT NULL;
