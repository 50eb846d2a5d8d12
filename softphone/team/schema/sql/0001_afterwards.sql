-- After the call: what is taken back, held, remembered of a number; and how what nothing keeps goes.

-- A purpose of these ends, and with it its wraps. What ends is for the domain to say; here it can only become less.
CREATE FUNCTION purposes_end(these uuid[], which text[], how text, why text) RETURNS void
    LANGUAGE sql SET search_path = klartone, pg_temp AS $$
    UPDATE purposes SET stands = how, reason = why
        WHERE recording = ANY (these) AND purpose = ANY (which) AND stands = 'keeps';
    DELETE FROM wraps WHERE recording = ANY (these) AND role = ANY (which);
    DELETE FROM wraps_aside WHERE recording = ANY (these) AND 'training' = ANY (which)
$$;

-- Whether it went. What only a hold keeps is custody's alone from then on (`softphone.domain.retention.is_kept`).
CREATE FUNCTION erase_unless_kept(of uuid, why text) RETURNS boolean LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
BEGIN
    SELECT * INTO row FROM recordings WHERE recording = of FOR UPDATE;
    IF row.recording IS NULL
        OR greatest(row.documentation_until, row.training_until, row.waits_until) > statement_timestamp() THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM holds WHERE recording = of AND lifted_at IS NULL
            AND NOT (raised_for = 'controller' AND coalesce(provisional_until, 'infinity') <= statement_timestamp())) THEN
        DELETE FROM wraps WHERE recording = of AND role <> 'custody';
        UPDATE recordings SET restricted = 'hold_only' WHERE recording = of AND restricted IS NULL;
        RETURN false;
    END IF;
    PERFORM erase(of, why);
    RETURN true;
END $$;

CREATE FUNCTION erase(of uuid, why text) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
BEGIN
    DELETE FROM recordings WHERE recording = of RETURNING * INTO row;
    IF row.recording IS NULL THEN
        RETURN;
    END IF;
    DELETE FROM receipts WHERE recording = of;
    INSERT INTO tombstones (recording, object_key, reason) VALUES (of, row.object_key, why);
    DELETE FROM calls c WHERE c.call = row.call AND NOT EXISTS (SELECT FROM recordings r WHERE r.call = c.call);
    PERFORM note('recording_discarded', 'G10', row.call::text, of, jsonb_build_object('why', why));
END $$;

-- By the agent of the call; by a case handler or custody, by call or number. It reaches what arrives later too.
-- Returns how many recordings it reached.
CREATE FUNCTION take_back(of_withdrawal uuid, of_group uuid, of_hash bytea, which text[], why text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'custody');
    others boolean := who.roles && ARRAY ['case_handler', 'custody'];
    reached uuid[];
BEGIN
    IF EXISTS (SELECT FROM withdrawals w WHERE w.withdrawal = of_withdrawal) THEN
        RETURN 0;
    END IF;
    IF of_hash IS NOT NULL AND NOT others THEN
        RAISE EXCEPTION 'not by number' USING ERRCODE = 'KT403';
    END IF;
    IF NOT others AND EXISTS (SELECT FROM calls c WHERE c.call_group = of_group AND NOT c.agent = ANY (who.agents)) THEN
        RAISE EXCEPTION 'not your call' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO withdrawals (withdrawal, call_group, number_hash, purposes, reason, at, person, desk)
        VALUES (of_withdrawal, of_group, of_hash, which, why, statement_timestamp(), who.person,
            CASE WHEN others THEN NULL ELSE who.desk END);
    SELECT coalesce(array_agg(r.recording ORDER BY r.recording), '{}') INTO reached
        FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call)
        WHERE c.call_group = of_group OR n.number_hash = of_hash;
    PERFORM FROM recordings WHERE recording = ANY (reached) ORDER BY recording FOR UPDATE;
    PERFORM purposes_end(reached, which, 'taken_back', why);
    PERFORM note('taken_back', CASE why WHEN 'withdrawn' THEN 'G04' ELSE 'G31' END, coalesce(of_group::text, ''), NULL,
        jsonb_build_object('purposes', which, 'why', why, 'count', cardinality(reached)));
    PERFORM erase_unless_kept(one, why) FROM unnest(reached) AS one;
    RETURN cardinality(reached);
END $$;

CREATE FUNCTION number_remember(
    of_hash bytea, of_what text, of_line text, of_purpose text, of_value text, from_at timestamptz, to_until timestamptz
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF of_what = 'upheld' THEN
        PERFORM need('custody');
    ELSE
        PERFORM need('agent', 'case_handler', 'custody');
    END IF;
    INSERT INTO remembered VALUES (of_hash, of_what, of_line, of_purpose, of_value, from_at, to_until)
        ON CONFLICT (number_hash, what, line, purpose) DO UPDATE
        SET value = excluded.value, at = least(remembered.at, excluded.at), until = greatest(remembered.until, excluded.until);
    PERFORM note('number_remembered', 'G31', '', NULL, jsonb_build_object('what', of_what, 'line', of_line));
END $$;

-- Asked while it rings.
CREATE FUNCTION number_known(of_hash bytea, of_line text) RETURNS TABLE (what text, purpose text, value text, until timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need('agent');
    RETURN QUERY SELECT m.what, m.purpose, m.value, m.until FROM remembered m
        WHERE m.number_hash = of_hash AND m.line IN ('', of_line) AND m.until > statement_timestamp();
END $$;

-- The calls of a number, for those who may search by one. Which of them they see is asked by the tables' policies.
CREATE FUNCTION number_calls(of_hash bytea) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('case_handler', 'custody');
    RETURN QUERY SELECT n.call FROM call_numbers n WHERE n.number_hash = of_hash;
END $$;

-- One on each of these, from everybody but IT. They need not see them: who takes a complaint may not. A recording that is not
-- here, or held by the same hold, is left out. Returns those that are held by it now.
CREATE FUNCTION holds_place(holds jsonb) RETURNS TABLE (hold text, recording uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody');
    one record;
BEGIN
    FOR one IN SELECT * FROM jsonb_to_recordset($1) AS h (hold text, recording uuid, raised_for text, raised_by text, why text,
            at timestamptz, provisional_until timestamptz, confirm_by timestamptz) ORDER BY h.recording LOOP
        PERFORM FROM recordings r WHERE r.recording = one.recording FOR UPDATE;
        CONTINUE WHEN NOT FOUND;
        IF EXISTS (SELECT FROM holds h WHERE h.hold = one.hold AND h.recording <> one.recording) THEN
            RAISE EXCEPTION 'another hold' USING ERRCODE = 'KT409';
        END IF;
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
                (SELECT r.call::text FROM recordings r WHERE r.recording = one.recording), one.recording,
                jsonb_build_object('hold', one.hold, 'by', one.raised_for));
        END IF;
        RETURN QUERY SELECT one.hold, one.recording;
    END LOOP;
END $$;

-- By its own raiser, within a minute, where it was raised for us and a purpose keeps the recording: as if it had not been.
CREATE FUNCTION hold_undo(of text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody');
    row recordings;
BEGIN
    SELECT r.* INTO row FROM recordings r JOIN holds h USING (recording) JOIN hold_words w USING (hold)
        WHERE h.hold = of AND h.lifted_at IS NULL AND h.confirmed_at IS NULL AND h.raised_for = 'controller'
            AND w.person = who.person AND h.at > statement_timestamp() - interval '60 seconds' FOR UPDATE OF r;
    IF row.recording IS NULL OR greatest(row.documentation_until, row.training_until) <= statement_timestamp() THEN
        RETURN false;
    END IF;
    UPDATE holds SET lifted_at = statement_timestamp() WHERE hold = of;
    UPDATE hold_words SET lifted_reason = 'undone' WHERE hold = of;
    INSERT INTO wraps (recording, segment, role, key_id, suite, sealed)
        SELECT a.recording, a.segment, 'training', a.key_id, a.suite, a.sealed FROM wraps_aside a JOIN recordings r USING (recording)
        WHERE a.hold = of AND a.until > statement_timestamp() AND NOT r.held AND r.restricted IS NULL
            AND r.training_until > statement_timestamp() ON CONFLICT DO NOTHING;
    DELETE FROM wraps_aside WHERE hold = of;
    PERFORM note('hold_lifted', 'G10', row.call::text, row.recording, jsonb_build_object('hold', of, 'why', 'undone'));
    RETURN true;
END $$;

CREATE FUNCTION hold_confirm(of text, again date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    one uuid;
BEGIN
    PERFORM need('custody');
    IF NOT i_find_all() THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
    UPDATE holds SET confirmed_at = statement_timestamp(), look_again = again, confirm_by = NULL, provisional_until = NULL
        WHERE hold = of AND lifted_at IS NULL
            AND NOT (raised_for = 'controller' AND coalesce(provisional_until, 'infinity') <= statement_timestamp())
        RETURNING recording INTO one;
    IF one IS NULL THEN
        RETURN false;
    END IF;
    PERFORM note('hold_confirmed', 'G10', (SELECT call::text FROM recordings WHERE recording = one), one,
        jsonb_build_object('hold', of, 'look_again', again));
    RETURN true;
END $$;

-- What custody has sealed anew, for keys that the newest policy names. Whether all that was recorded for the role can be opened.
-- `anew`: [{segment, key_id, suite, sealed}].
CREATE FUNCTION seal_anew(of uuid, of_role text, anew jsonb) RETURNS boolean LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM jsonb_to_recordset(anew) AS w (key_id text) WHERE NOT EXISTS (SELECT FROM policy_keys k
            WHERE k.number = newest_policy() AND k.role = of_role AND k.key_id = w.key_id)) THEN
        RAISE EXCEPTION 'the policy does not name it' USING ERRCODE = 'KT422';
    END IF;
    INSERT INTO wraps (recording, segment, role, key_id, suite, sealed)
        SELECT of, w.segment, of_role, w.key_id, w.suite, decode(w.sealed, 'hex')
        FROM jsonb_to_recordset(anew) AS w (segment integer, key_id text, suite text, sealed text)
        JOIN segments s ON s.recording = of AND s.segment = w.segment AND of_role = ANY (s.purposes) ON CONFLICT DO NOTHING;
    RETURN NOT EXISTS (SELECT FROM segments s WHERE s.recording = of AND of_role = ANY (s.purposes) AND NOT EXISTS (
        SELECT FROM wraps w WHERE w.recording = s.recording AND w.segment = s.segment AND w.role = of_role));
END $$;

-- By custody, with a reason. `anew`: training wraps that custody has made, for keys that the newest policy names. They count where
-- training still lives and nothing else holds the recording. Without any, training ends (nobody could open it: G38).
-- Returns `lifted`, `training_ended`, `erased` (nothing else kept it), or `none`.
CREATE FUNCTION hold_lift(of text, of_reason text, anew jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
    out text := 'lifted';
BEGIN
    PERFORM need('custody');
    IF NOT i_find_all() THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
    SELECT r.* INTO row FROM recordings r JOIN holds h USING (recording)
        WHERE h.hold = of AND h.lifted_at IS NULL FOR UPDATE OF r;
    IF row.recording IS NULL THEN
        RETURN 'none';
    END IF;
    UPDATE holds SET lifted_at = statement_timestamp() WHERE hold = of;
    UPDATE hold_words SET lifted_reason = of_reason WHERE hold = of;
    DELETE FROM wraps_aside WHERE hold = of;
    PERFORM note('hold_lifted', 'G10', row.call::text, row.recording, jsonb_build_object('hold', of, 'why', of_reason));
    SELECT * INTO row FROM recordings WHERE recording = row.recording;
    IF NOT row.held AND row.restricted IS NULL AND row.training_until > statement_timestamp() THEN
        IF NOT seal_anew(row.recording, 'training', anew) THEN
            PERFORM purposes_end(ARRAY [row.recording], ARRAY ['training'], 'taken_back', 'training_unopened');
            out := 'training_ended';
        END IF;
    END IF;
    IF erase_unless_kept(row.recording, 'hold_lifted') THEN
        out := 'erased';
    END IF;
    RETURN out;
END $$;
