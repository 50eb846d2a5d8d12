-- After the call: what is taken back, held, remembered of a number; and how what nothing keeps goes.

-- A purpose of these ends, and with it its wraps. What ends is for the domain to say; here it can only become less.
CREATE FUNCTION purposes_end(these uuid[], which text[], how text, why text) RETURNS void
    LANGUAGE sql SET search_path = klartone, pg_temp AS $$
    UPDATE purposes SET stands = how, reason = why
        WHERE recording = ANY (these) AND purpose = ANY (which) AND stands = 'keeps';
    -- A no is more than grounds that custody may reject.
    UPDATE purposes SET reason = why
        WHERE recording = ANY (these) AND purpose = ANY (which) AND stands = 'taken_back' AND reason = 'grounds_given';
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

-- By an agent of the call, as long as they find it: training in the whole group, since the no is the caller's, and the rest in own
-- calls. By a case handler or custody, who have proved a key, by call or number. It reaches what arrives later too.
-- Returns how many recordings it reached.
CREATE FUNCTION take_back(of_withdrawal uuid, of_group uuid, of_hash bytea, which text[], why text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'custody');
    others boolean := who.roles && ARRAY ['case_handler', 'custody'] AND i_have_a_key();
    known withdrawals;
    reached uuid[];
BEGIN
    PERFORM lock_party(of_group, of_hash);
    SELECT * INTO known FROM withdrawals w WHERE w.withdrawal = of_withdrawal;
    IF known.withdrawal IS NOT NULL THEN
        IF (known.call_group, known.number_hash, known.purposes) IS DISTINCT FROM (of_group, of_hash, which) THEN
            RAISE EXCEPTION 'another withdrawal' USING ERRCODE = 'KT409';
        END IF;
        RETURN 0;
    END IF;
    IF NOT others AND (of_hash IS NOT NULL OR NOT 'agent' = ANY (who.roles)) THEN
        RAISE EXCEPTION 'not by number, not without a key' USING ERRCODE = 'KT403';
    END IF;
    IF NOT others AND EXISTS (SELECT FROM calls c WHERE c.call_group = of_group) AND NOT EXISTS (
            SELECT FROM calls c WHERE c.call_group = of_group AND c.agent = ANY (who.agents) AND c.started_at >= own_since()) THEN
        RAISE EXCEPTION 'not your call, or not any more' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO withdrawals (withdrawal, call_group, number_hash, purposes, reason, at, person, desk)
        VALUES (of_withdrawal, of_group, of_hash, which, why, statement_timestamp(), who.person,
            CASE WHEN others THEN NULL ELSE who.desk END);
    SELECT coalesce(array_agg(r.recording ORDER BY r.recording), '{}') INTO reached
        FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call)
        WHERE (c.call_group = of_group OR n.number_hash = of_hash)
            AND (others OR c.agent = ANY (who.agents) OR 'training' = ANY (which));
    PERFORM FROM recordings WHERE recording = ANY (reached) ORDER BY recording FOR UPDATE;
    PERFORM purposes_end(ARRAY (SELECT r.recording FROM recordings r WHERE r.recording = ANY (reached)
        AND (others OR r.agent = ANY (who.agents))), which, 'taken_back', why);
    IF 'training' = ANY (which) THEN
        PERFORM purposes_end(reached, ARRAY ['training'], 'taken_back', why);
    END IF;
    PERFORM note('taken_back', CASE why WHEN 'withdrawn' THEN 'G04' ELSE 'G31' END, coalesce(of_group::text, ''), NULL,
        jsonb_build_object('purposes', which, 'why', why, 'count', cardinality(reached)));
    PERFORM erase_unless_kept(one, why) FROM unnest(reached) AS one;
    RETURN cardinality(reached);
END $$;

CREATE FUNCTION number_remember(
    of_hash bytea, of_what text, of_line text, of_purpose text, of_value text, from_at timestamptz, to_until timestamptz
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('agent', 'case_handler', 'custody');
    IF NOT (CASE WHEN of_what = 'upheld' THEN i_find_all() ELSE i_am('agent') OR i_have_a_key() END) THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
    IF to_until > statement_timestamp() + interval '10 years' OR from_at > statement_timestamp() + interval '5 minutes' THEN
        RAISE EXCEPTION 'too long' USING ERRCODE = 'KT422';
    END IF;
    PERFORM lock_party(NULL, of_hash);
    INSERT INTO remembered VALUES (of_hash, of_what, of_line, of_purpose, of_value, from_at, to_until, from_at)
        ON CONFLICT (number_hash, what, line, purpose) DO UPDATE
        SET value = CASE WHEN excluded.told_at >= remembered.told_at THEN excluded.value ELSE remembered.value END,
            told_at = greatest(remembered.told_at, excluded.told_at), at = least(remembered.at, excluded.at), until = greatest(remembered.until, excluded.until);
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

-- The calls of a number that they find, for those who may search by one.
CREATE FUNCTION number_calls(of_hash bytea) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('case_handler', 'custody');
    RETURN QUERY SELECT DISTINCT n.call FROM call_numbers n JOIN recordings r USING (call) WHERE n.number_hash = of_hash
        AND (i_find_all() OR (r.opened_by && my_keys('documentation') AND lives_for(r, 'documentation')));
END $$;

-- One on each of these, from everybody but IT. They need not see them: who takes a complaint may not. Left out are those that are not
-- here, and for us those that no purpose keeps: such a hold would keep what has come to its end. Returns those that stand by it.
CREATE FUNCTION holds_place(holds jsonb) RETURNS TABLE (hold text, recording uuid)
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
            WHERE h.hold = one.hold AND h.lifted_at IS NOT NULL;
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

-- By its own raiser, within a minute of its arrival, where it was raised for us and a purpose keeps the recording: as if it had not
-- been. Where another hold stands, what was put aside waits for that; where nothing is left to bring back, training ends.
CREATE FUNCTION hold_undo(of text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody');
    row recordings;
BEGIN
    SELECT r.* INTO row FROM recordings r JOIN holds h USING (recording) JOIN hold_words w USING (hold)
        WHERE h.hold = of AND h.lifted_at IS NULL AND h.confirmed_at IS NULL AND h.raised_for = 'controller'
            AND w.person = who.person AND h.placed_at > statement_timestamp() - interval '60 seconds' FOR UPDATE OF r;
    IF row.recording IS NULL OR greatest(row.documentation_until, row.training_until) <= statement_timestamp() THEN
        RETURN false;
    END IF;
    UPDATE holds SET lifted_at = statement_timestamp() WHERE hold = of;
    UPDATE hold_words SET lifted_reason = 'undone' WHERE hold = of;
    SELECT * INTO row FROM recordings WHERE recording = row.recording;
    PERFORM note('hold_lifted', 'G10', row.call::text, row.recording, jsonb_build_object('hold', of, 'why', 'undone'));
    IF row.held THEN
        UPDATE wraps_aside SET hold = (SELECT min(h.hold) FROM holds h WHERE h.recording = row.recording AND h.lifted_at IS NULL)
            WHERE hold = of;
        RETURN true;
    END IF;
    IF row.restricted IS NULL AND row.training_until > statement_timestamp() THEN
        INSERT INTO wraps (recording, segment, role, key_id, suite, sealed)
            SELECT a.recording, a.segment, 'training', a.key_id, a.suite, a.sealed FROM wraps_aside a
            WHERE a.hold = of AND a.until > statement_timestamp() ON CONFLICT DO NOTHING;
        IF NOT seal_anew(row.recording, 'training', '[]') THEN
            PERFORM purposes_end(ARRAY [row.recording], ARRAY ['training'], 'taken_back', 'training_unopened');
            PERFORM erase_unless_kept(row.recording, 'training_unopened');
        END IF;
    END IF;
    DELETE FROM wraps_aside WHERE hold = of;
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
