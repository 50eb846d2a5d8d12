-- What ended, or was held, since a backup meets a recording or a note that comes again from its desk.

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

-- One that was learnt from storage does to the rows what its own row had done to them.
CREATE FUNCTION stone_meets(of_what text, of_id text, told jsonb) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
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
        WHEN 'desks' THEN
            UPDATE desks SET revoked_at = (told ->> 'revoked_at')::timestamptz
                WHERE desk = (told ->> 'desk')::uuid AND revoked_at IS NULL AND told ->> 'revoked_at' IS NOT NULL;
        WHEN 'people' THEN
            UPDATE people SET left_at = (told ->> 'left_at')::timestamptz WHERE person = (told ->> 'person')::uuid AND left_at IS NULL;
    END CASE;
END $$;

CREATE OR REPLACE FUNCTION stone_apply(of_what text, of_id text, of_at timestamptz, told jsonb, counts boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    INSERT INTO stones VALUES (of_what, of_id, of_at, told, statement_timestamp()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF counts THEN
        PERFORM stone_meets(of_what, of_id, told);
    END IF;
    RETURN true;
END $$;

-- A recording that arrives again after a restore: what had ended, was held or restricted in the lost time. The newest of each counts;
-- those that its own arrival lays now are not in storage yet.
CREATE FUNCTION stones_meet(of uuid) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT DISTINCT ON (s.what, s.id) s.what, s.id, s.told FROM stones s
            WHERE s.told ->> 'recording' = of::text AND s.what IN ('purposes', 'recordings', 'holds') AND s.written_at IS NOT NULL
            ORDER BY s.what, s.id, s.at DESC LOOP
        PERFORM stone_meets(one.what, one.id, one.told);
    END LOOP;
END $$;

-- All that a recording is. `told` has `call`, `number` (its hash, and seals), `recording`, and lists of `purposes`, `segments`,
-- `wraps`, `holds`: rows of those tables. The session says whose desk it is, whatever `told` says.
-- Returns `stored`, `again` (it was here), or `erased` (nothing keeps it any more), and where the service's log stands.
CREATE OR REPLACE FUNCTION recording_store(of uuid, told jsonb) RETURNS TABLE (result text, head bigint, head_hash text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent');
    known uploads;
    call calls;
    row recordings;
    hash bytea := decode(told #>> '{number,hash}', 'hex');
    out text := 'stored';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(of::text, 0));
    IF EXISTS (SELECT FROM tombstones t WHERE t.recording = of) THEN
        RETURN QUERY SELECT 'erased', h.number, h.hash FROM service_head() h;
        RETURN;
    END IF;
    PERFORM lock_party((told #>> '{call,call_group}')::uuid, hash);
    SELECT * INTO row FROM recordings r WHERE r.recording = of;
    IF row.recording IS NOT NULL THEN
        IF row.desk <> who.desk OR row.digest <> decode(told #>> '{recording,digest}', 'hex') THEN
            RAISE EXCEPTION 'another recording' USING ERRCODE = 'KT409';
        END IF;
        RETURN QUERY SELECT 'again', h.number, h.hash FROM service_head() h;
        RETURN;
    END IF;
    SELECT * INTO known FROM uploads u WHERE u.recording = of AND u.desk = who.desk FOR UPDATE;
    IF known.recording IS NULL THEN
        RAISE EXCEPTION 'no such upload' USING ERRCODE = 'KT404';
    END IF;
    IF known.digest <> decode(told #>> '{recording,digest}', 'hex') OR known.size <> (told #>> '{recording,size}')::bigint THEN
        RAISE EXCEPTION 'another digest' USING ERRCODE = 'KT422';
    END IF;
    call := jsonb_populate_record(NULL::calls, told -> 'call' || jsonb_build_object('desk', who.desk));
    call.agent := address(call.agent);
    IF NOT call.agent = ANY (who.agents) THEN
        RAISE EXCEPTION 'not your call' USING ERRCODE = 'KT403';
    END IF;
    IF call.started_at > statement_timestamp() + interval '5 minutes' THEN
        RAISE EXCEPTION 'not yet' USING ERRCODE = 'KT422';
    END IF;
    INSERT INTO calls SELECT call.* ON CONFLICT (call) DO NOTHING;
    -- Another recording of a call that is here tells the same of it.
    IF NOT EXISTS (SELECT FROM calls c WHERE c.call = call.call AND c.desk = who.desk AND c.agent = call.agent
            AND c.call_group = call.call_group AND c.line IS NOT DISTINCT FROM call.line
            AND c.started_at = call.started_at) THEN
        RAISE EXCEPTION 'another call' USING ERRCODE = 'KT409';
    END IF;
    IF hash IS NOT NULL THEN
        INSERT INTO call_numbers VALUES (call.call, hash) ON CONFLICT DO NOTHING;
        INSERT INTO call_number_seals SELECT call.call, s.role, s.key_id, s.suite, decode(s.sealed, 'hex')
            FROM jsonb_to_recordset(told #> '{number,seals}') AS s (role text, key_id text, suite text, sealed text)
            ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO recordings (recording, call, desk, line, agent, opened_at, closed_at, broke_off, restricted,
            object_key, object_version, size, digest)
        SELECT of, call.call, who.desk, call.line, call.agent, r.opened_at, r.closed_at, coalesce(r.broke_off, false), r.restricted,
            known.object_key, coalesce(r.object_version, ''), known.size, known.digest
        FROM jsonb_to_record(told -> 'recording')
            AS r (opened_at timestamptz, closed_at timestamptz, broke_off boolean, restricted text, object_version text);
    INSERT INTO purposes (recording, purpose, basis, retention, expires_on, ends_at, stands, reason, reviewed_at, at_end,
            keep_reviewed, judge_by, judge_until)
        SELECT of, p.purpose, p.basis, p.retention, p.expires_on, p.ends_at, p.stands, p.reason, p.reviewed_at, p.at_end,
            p.keep_reviewed, p.judge_by, p.judge_until
        FROM jsonb_to_recordset(told -> 'purposes') AS p (purpose text, basis text, retention text, expires_on date,
            ends_at timestamptz, stands text, reason text, reviewed_at timestamptz, at_end text, keep_reviewed text,
            judge_by date, judge_until timestamptz);
    INSERT INTO segments SELECT of, s.segment, s.opened_at, s.purposes, s.chunks FROM jsonb_to_recordset(told -> 'segments')
        AS s (segment integer, opened_at timestamptz, purposes text[], chunks integer);
    INSERT INTO wraps SELECT of, w.segment, w.role, w.key_id, w.suite, decode(w.sealed, 'hex')
        FROM jsonb_to_recordset(told -> 'wraps') AS w (segment integer, role text, key_id text, suite text, sealed text);
    PERFORM wraps_checked(of);
    INSERT INTO holds (hold, recording, raised_for, at, provisional_until, confirm_by, confirmed_at, look_again)
        SELECT h.hold, of, h.raised_for, h.at, h.provisional_until, h.confirm_by, h.confirmed_at, h.look_again
        FROM jsonb_to_recordset(told -> 'holds') AS h (hold text, raised_for text, at timestamptz,
            provisional_until timestamptz, confirm_by timestamptz, confirmed_at timestamptz, look_again date);
    INSERT INTO hold_words (hold, person, raised_by, why) SELECT h.hold, who.person, h.raised_by, h.why
        FROM jsonb_to_recordset(told -> 'holds') AS h (hold text, raised_by text, why text);
    -- What is held opens for no training; what is restricted, for custody alone.
    DELETE FROM wraps w USING recordings r WHERE w.recording = of AND r.recording = of
        AND ((r.held AND w.role = 'training') OR (r.restricted IS NOT NULL AND w.role <> 'custody'));
    DELETE FROM uploads u WHERE u.recording = of;
    PERFORM note('recording_arrived', 'G10', call.call::text, of, jsonb_build_object(
        'digest', encode(known.digest, 'hex'), 'late', extract(epoch FROM statement_timestamp() - row.closed_at)));
    PERFORM apply_known(of);
    PERFORM stones_meet(of);
    IF NOT EXISTS (SELECT FROM recordings r WHERE r.recording = of)
        OR erase_unless_kept(of, 'past_its_date') THEN
        out := 'erased';
    END IF;
    RETURN QUERY SELECT out, h.number, h.hash FROM service_head() h;
END $$;

-- No backup is as old. One that has met nothing waits: its recording, or its note, may still lie on a desk.
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
        ELSE true
    END;
    GET DIAGNOSTICS went = ROW_COUNT;
    RETURN went;
END $$;

CREATE OR REPLACE FUNCTION note_put(of_call uuid, of_agent text, of_hash bytea, of_at timestamptz, until_day date, until timestamptz, seals jsonb)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    known call_notes;
BEGIN
    IF NOT address(of_agent) = ANY (who.agents) THEN
        RAISE EXCEPTION 'not your call' USING ERRCODE = 'KT403';
    END IF;
    IF EXISTS (SELECT FROM jsonb_to_recordset(seals) AS s (key_id text) WHERE NOT EXISTS (SELECT FROM policy_keys k
            WHERE k.number = newest_policy() AND k.role = 'custody' AND k.key_id = s.key_id)) THEN
        RAISE EXCEPTION 'not sealed for custody' USING ERRCODE = 'KT422';
    END IF;
    IF until > statement_timestamp() + interval '400 days' THEN
        RAISE EXCEPTION 'too long' USING ERRCODE = 'KT422';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('klartone.note.' || of_call, 0));
    SELECT * INTO known FROM call_notes n WHERE n.call = of_call;
    IF known.call IS NOT NULL AND known.desk <> who.desk THEN
        RAISE EXCEPTION 'another call' USING ERRCODE = 'KT409';
    END IF;
    IF known.erased_at IS NOT NULL OR until <= statement_timestamp() THEN
        RETURN;
    END IF;
    -- Data protection has erased it, in the time that a restored database has lost.
    IF known.call IS NULL AND EXISTS (SELECT FROM stones s WHERE s.what = 'call_notes' AND s.id = of_call::text
            AND s.told ->> 'erased_at' IS NOT NULL) THEN
        INSERT INTO call_notes VALUES (of_call, who.desk, address(of_agent), NULL, least(of_at, statement_timestamp()), until_day, until,
            statement_timestamp());
        RETURN;
    END IF;
    DELETE FROM call_notes WHERE call = of_call;
    IF jsonb_array_length(seals) > 0 THEN
        INSERT INTO call_notes VALUES (of_call, who.desk, address(of_agent), of_hash, least(of_at, statement_timestamp()), until_day, until);
        INSERT INTO call_note_seals SELECT of_call, s.key_id, s.suite, decode(s.sealed, 'hex')
            FROM jsonb_to_recordset(seals) AS s (key_id text, suite text, sealed text);
    END IF;
END $$;
