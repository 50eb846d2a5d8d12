-- Holds are raised by whoever takes the complaint, and judged by custody. What protects happens at once.

-- One on each of these, from everybody but IT. They need not see them: who takes a complaint may not. Left out are those that are not
-- here, and for us those that no purpose keeps: such a hold would keep what has come to its end. Returns those that stand by it. What
-- custody or a refusal lifted is not placed once more by a desk that asks again.
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
            FROM hold_words w WHERE h.hold = one.hold AND h.lifted_at IS NOT NULL AND w.hold = h.hold AND w.lifted_reason = 'undone';
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
            AND w.person = who.person AND h.placed_at > greatest(mine_since(), statement_timestamp() - interval '60 seconds') FOR UPDATE OF r;
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

-- On one recording, or on all of a number, by whoever takes the complaint: they need not see them. `due`: the moment by which a dispute
-- is to be confirmed, under no zone; a request's day is counted where the call was. What they hold for the same reason already is held
-- by that. What has come to its end is revived by no hold of ours. Which recordings it was is told to whoever named it, or may search
-- for it by number. An agent or a lead learns by a number neither how many there are nor whether there are any, may do so ten times an
-- hour, and at the tenth data protection reads it in the log.
CREATE FUNCTION holds_raise(of uuid, of_hash bytea, raised text, of_why text, due jsonb) RETURNS TABLE (hold text, recording uuid,
        at timestamptz, provisional_until timestamptz, confirm_by timestamptz, look_again date, time_zone text, alone boolean,
        already boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody');
    these uuid[];
    row recordings;
    zone text;
    known holds;
    stood boolean;
    named boolean;
    may_know boolean := of_hash IS NULL OR i_have_a_key() OR my_keys('custody') <> '{}';
BEGIN
    IF NOT may_know THEN
        CASE rated(who.person, 'holds by number', 'hour', 1)
            WHEN 1, 2, 3, 4, 5, 6, 7, 8, 9 THEN NULL;
            WHEN 10 THEN PERFORM note('holds_by_number_often', 'G10', '', NULL, '{}');
            ELSE RAISE EXCEPTION 'too many numbers' USING ERRCODE = 'KT429';
        END CASE;
    END IF;
    PERFORM lock_party(NULL, of_hash);
    these := ARRAY (SELECT r.recording FROM recordings r LEFT JOIN call_numbers n USING (call)
        WHERE r.recording = of OR n.number_hash = of_hash ORDER BY r.recording);
    PERFORM FROM recordings r WHERE r.recording = ANY (these) ORDER BY r.recording FOR UPDATE;
    IF of_hash IS NOT NULL THEN
        PERFORM note('hold_sought', CASE raised WHEN 'access' THEN 'G08' ELSE 'G10' END, '', NULL,
            jsonb_build_object('count', cardinality(these)));
    END IF;
    FOR row IN SELECT r.* FROM recordings r WHERE r.recording = ANY (these) ORDER BY r.recording LOOP
        SELECT c.time_zone INTO zone FROM calls c WHERE c.call = row.call;
        named := row.recording IS NOT DISTINCT FROM of OR i_see_by_number(row);
        SELECT h.* INTO known FROM holds h JOIN hold_words w USING (hold) WHERE h.recording = row.recording
            AND h.lifted_at IS NULL AND h.raised_for = raised AND w.person = who.person AND w.why = of_why LIMIT 1;
        stood := known.hold IS NOT NULL;
        -- As in `holds_place`: one of ours would keep what has come to its end.
        CONTINUE WHEN NOT stood AND raised = 'controller'
            AND greatest(row.documentation_until, row.training_until) <= statement_timestamp();
        IF NOT stood THEN
            INSERT INTO holds (hold, recording, raised_for, at, confirm_by)
                VALUES (gen_random_uuid()::text, row.recording, raised, statement_timestamp(),
                    CASE raised
                        -- As `softphone.domain.retention.answer_by` has it.
                        WHEN 'access' THEN day_begins(((statement_timestamp() AT TIME ZONE zone)::date + interval '1 month')::date + 1, zone)
                            - interval '1 second'
                        ELSE least(coalesce(due ->> '', due ->> zone, 'infinity')::timestamptz, statement_timestamp() + interval '1 year')
                    END)
                RETURNING * INTO known;
            INSERT INTO hold_words (hold, person, raised_by, why, by_number) SELECT known.hold, who.person, p.subject, of_why,
                    NOT (may_know OR named)
                FROM people p WHERE p.person = who.person;
            DELETE FROM wraps w WHERE w.recording = row.recording AND w.role = 'training';
            PERFORM note('hold_placed', CASE raised WHEN 'access' THEN 'G08' ELSE 'G10' END, row.call::text, row.recording,
                jsonb_build_object('hold', known.hold, 'by', raised));
        END IF;
        CONTINUE WHEN NOT (may_know OR named);
        RETURN QUERY SELECT known.hold, CASE WHEN named THEN row.recording END, known.at, known.provisional_until,
            known.confirm_by, known.look_again, zone,
            greatest(row.documentation_until, row.training_until) <= statement_timestamp(), stood;
    END LOOP;
END $$;

-- Those that stand: custody gets all that its keys open, others what they raised themselves, by whatever desk. Which recording it is
-- on is told to those who see that. Of what another custody key opens, custody is told that there is something, and when: no words, no
-- call, no line. `beginning`: of its name. Who asks is found out once a list, and not once a row.
CREATE FUNCTION holds_told(beginning text) RETURNS TABLE (hold text, recording uuid, raised_for text, at timestamptz,
        provisional_until timestamptz, confirm_by timestamptz, look_again date, raised_by text, why text, time_zone text, alone boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody', 'it');
    all_of boolean := i_find_all();
    custody text[] := my_keys('custody');
    documentation text[] := my_keys('documentation');
    training text[] := my_keys('training');
    own text[] := my_agents();
    since timestamptz := own_since();
    back timestamptz := mine_since();
    led_by_me text[] := my_led();
BEGIN
    RETURN QUERY SELECT CASE WHEN theirs.it THEN h.hold END,
            -- As `i_see` has it.
            CASE WHEN all_of OR r.opened_by && custody OR (r.person = who.person AND r.agent = ANY (own) AND r.opened_at >= since)
                OR (r.opened_by && documentation AND lives_for(r, 'documentation'))
                OR (r.opened_by && training AND lives_for(r, 'training') AND led(r.line, r.agent) && led_by_me) THEN h.recording END,
            h.raised_for, h.at, h.provisional_until, h.confirm_by, h.look_again, CASE WHEN theirs.it THEN w.raised_by END,
            CASE WHEN theirs.it THEN w.why END, c.time_zone,
            greatest(r.documentation_until, r.training_until) <= statement_timestamp()
        FROM holds h JOIN recordings r USING (recording) JOIN calls c USING (call) JOIN hold_words w USING (hold),
            LATERAL (SELECT w.person IS NOT DISTINCT FROM who.person AND h.placed_at >= back AND NOT w.by_number AS it) mine,
            LATERAL (SELECT mine.it OR all_of OR r.opened_by && custody AS it) theirs
        WHERE h.lifted_at IS NULL AND starts_with(h.hold, beginning) AND (custody <> '{}' OR mine.it) ORDER BY h.at, h.hold;
END $$;

-- The holds that custody may mean by this beginning of a name; the name itself comes alone.
CREATE FUNCTION holds_meant(beginning text) RETURNS TABLE (hold text, recording uuid, raised_for text, at timestamptz, time_zone text,
        opened_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need_custody();
    RETURN QUERY SELECT h.hold, h.recording, h.raised_for, h.at, c.time_zone, r.opened_at
        FROM holds h JOIN recordings r USING (recording) JOIN calls c USING (call)
        WHERE h.lifted_at IS NULL AND beginning <> '' AND starts_with(h.hold, beginning)
        ORDER BY h.hold <> beginning, h.hold LIMIT 2;
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

-- What of it may be sealed anew now, for purposes whose day has not come. `anew`: [{role, segment, key_id, suite, sealed}]. Returns
-- the purposes that nobody could open.
CREATE FUNCTION seal_living(of uuid, which text[], anew jsonb) RETURNS text[] LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
    one text;
    out text[] := '{}';
BEGIN
    SELECT * INTO row FROM recordings r WHERE r.recording = of;
    IF row.recording IS NULL OR row.restricted IS NOT NULL THEN
        RETURN out;
    END IF;
    FOR one IN SELECT p.purpose FROM purposes p WHERE p.recording = of AND p.purpose = ANY (which) AND p.judge_until IS NULL
            AND lives_for(row, p.purpose) ORDER BY p.purpose LOOP
        IF NOT seal_anew(of, one, coalesce((SELECT jsonb_agg(a) FROM jsonb_array_elements(anew) AS a WHERE a ->> 'role' = one), '[]')) THEN
            out := out || one;
        END IF;
    END LOOP;
    RETURN out;
END $$;

-- What custody needs to seal a recording anew: each segment's data key, sealed for a key of theirs. Keys are handed out where there is
-- something to decide: a hold that stands, a purpose that waits, a case. The log tells of it, since whoever has them can hear it: that
-- takes a case's number, and this entry.
CREATE FUNCTION keys_to_decide(of uuid) RETURNS TABLE (line text, segment integer, purposes text[], key_id text, suite text,
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
            OR EXISTS (SELECT FROM cases c WHERE c.recording = of AND c.decision IS NULL)) THEN
        RAISE EXCEPTION 'nothing to decide' USING ERRCODE = 'KT404';
    END IF;
    PERFORM note('keys_to_decide', 'G11', row.call::text, of, jsonb_build_object('role', 'custody'));
    RETURN QUERY SELECT row.line, s.segment, s.purposes, w.key_id, w.suite, w.sealed
        FROM segments s JOIN wraps w ON w.recording = s.recording AND w.segment = s.segment AND w.role = 'custody'
            AND 'custody:' || w.key_id = ANY (my_keys('custody'))
        WHERE s.recording = of AND lives_for(row, 'custody') ORDER BY s.segment, w.key_id;
END $$;

-- Custody has judged that it ends: lifted with a reason, or its request for access answered, or not, with a reason. `told`: the reason,
-- or the day of the answer. Returns `lifted`, `training_ended`, `erased` (nothing else kept it); or what it was not, and changes
-- nothing: `none`, `is_access`, `is_dispute`, `ends_training` (nobody could open it again, and that was not allowed).
CREATE FUNCTION hold_end(of text, how text, told text, anew jsonb, training_may_end boolean) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
    its holds;
    out text := 'lifted';
BEGIN
    PERFORM need_custody();
    SELECT r.* INTO row FROM recordings r JOIN holds h USING (recording) WHERE h.hold = of AND h.lifted_at IS NULL FOR UPDATE OF r;
    SELECT * INTO its FROM holds h WHERE h.hold = of AND h.lifted_at IS NULL;
    IF its.hold IS NULL THEN
        RETURN 'none';
    ELSIF how = 'lifted' AND its.raised_for = 'access' THEN
        RETURN 'is_access';
    ELSIF how <> 'lifted' AND its.raised_for <> 'access' THEN
        RETURN 'is_dispute';
    END IF;
    UPDATE holds SET lifted_at = statement_timestamp() WHERE hold = of;
    SELECT * INTO row FROM recordings r WHERE r.recording = its.recording;
    IF seal_living(row.recording, '{training}', anew) <> '{}' THEN
        IF NOT training_may_end THEN
            UPDATE holds SET lifted_at = NULL WHERE hold = of;
            DELETE FROM wraps w WHERE w.recording = row.recording AND w.role = 'training';
            RETURN 'ends_training';
        END IF;
        PERFORM purposes_end(ARRAY [row.recording], ARRAY ['training'], 'taken_back', 'training_unopened');
        out := 'training_ended';
    END IF;
    UPDATE hold_words SET lifted_reason = told WHERE hold = of;
    DELETE FROM wraps_aside WHERE hold = of;
    PERFORM note(CASE how WHEN 'lifted' THEN 'hold_lifted' WHEN 'answered' THEN 'access_answered' ELSE 'access_not_answered' END,
        CASE how WHEN 'lifted' THEN 'G10' ELSE 'G08' END, row.call::text, row.recording,
        jsonb_build_object('hold', of, CASE how WHEN 'answered' THEN 'answered' ELSE 'why' END, told));
    IF out = 'training_ended' THEN
        PERFORM note('training_unopened', 'G38', row.call::text, row.recording, '{}');
    END IF;
    IF erase_unless_kept(row.recording, 'hold_lifted') THEN
        out := 'erased';
    END IF;
    RETURN out;
END $$;

-- No purpose keeps it any more, by a refusal. A party's hold and a request for access keep it. Ours alone do for so long as custody
-- has to decide, and only where documentation was among its purposes (`softphone.domain.session.keeping.keep_or_discard`).
CREATE FUNCTION holds_meet_refusal(of uuid, until timestamptz) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
    -- Whatever the service says, custody gets a day.
    ends timestamptz := greatest(until, statement_timestamp() + interval '1 day');
BEGIN
    SELECT * INTO row FROM recordings r WHERE r.recording = of;
    IF row.recording IS NULL OR NOT row.held
            OR greatest(row.documentation_until, row.training_until, row.waits_until) > statement_timestamp()
            OR EXISTS (SELECT FROM holds h WHERE h.recording = of AND h.lifted_at IS NULL AND h.raised_for = 'party') THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM holds h WHERE h.recording = of AND h.lifted_at IS NULL
            -- One that was raised after the call is custody's to lift, as is one that it has confirmed.
            AND (h.raised_for = 'access' OR h.confirmed_at IS NOT NULL OR NOT starts_with(h.hold, of::text || '-h')))
        AND NOT EXISTS (SELECT FROM purposes p WHERE p.recording = of AND p.purpose = 'documentation') THEN
        UPDATE hold_words w SET lifted_reason = 'refused' FROM holds h WHERE h.hold = w.hold AND h.recording = of AND h.lifted_at IS NULL;
        UPDATE holds h SET lifted_at = statement_timestamp() WHERE h.recording = of AND h.lifted_at IS NULL;
        RETURN;
    END IF;
    UPDATE holds h SET provisional_until = ends WHERE h.recording = of AND h.lifted_at IS NULL AND h.raised_for = 'controller'
        AND h.confirmed_at IS NULL AND (h.provisional_until IS NULL OR h.provisional_until > ends);
    IF FOUND THEN
        PERFORM note('hold_provisional', 'G04', row.call::text, of, '{}');
    END IF;
END $$;

-- As `softphone.domain.retention.answer_by` has it for a request for access. A taken service may give a dispute a year. No hold was
-- placed later than now: a request for access is to be answered within a month of that.
CREATE FUNCTION hold_dated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    zone text := (SELECT c.time_zone FROM calls c JOIN recordings r USING (call) WHERE r.recording = NEW.recording);
BEGIN
    NEW.at := least(NEW.at, statement_timestamp());
    NEW.confirm_by := CASE NEW.raised_for
        WHEN 'access' THEN day_begins(((NEW.at AT TIME ZONE zone)::date + interval '1 month')::date + 1, zone) - interval '1 second'
        ELSE least(NEW.confirm_by, statement_timestamp() + interval '1 year')
    END;
    RETURN NEW;
END $$;

CREATE FUNCTION raiser_named() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    NEW.raised_by := (SELECT p.subject FROM people p WHERE p.person = NEW.person);
    RETURN NEW;
END $$;
