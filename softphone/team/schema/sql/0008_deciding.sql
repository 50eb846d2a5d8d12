-- Data protection finds, judges and decides; others raise holds, and see their own. What protects happens at once.

-- Whether who asks finds this recording: as the policy `seen` on recordings has it. And whether they may search for it by number.
CREATE FUNCTION i_see(r recordings) RETURNS boolean LANGUAGE sql STABLE
    RETURN (r.agent = ANY (my_agents()) AND r.opened_at >= own_since())
        OR i_find_all() OR r.opened_by && my_keys('custody')
        OR (r.opened_by && my_keys('documentation') AND lives_for(r, 'documentation'))
        OR (r.opened_by && my_keys('training') AND lives_for(r, 'training') AND led(r.line, r.agent) && my_led());

CREATE FUNCTION i_see_by_number(r recordings) RETURNS boolean LANGUAGE sql STABLE
    RETURN i_find_all() OR r.opened_by && my_keys('custody')
        OR (r.opened_by && my_keys('documentation') AND lives_for(r, 'documentation'));

-- Whether it is told to who asks as to custody: one of their keys opens it, or they find all.
CREATE FUNCTION i_open_as_custody(r recordings) RETURNS boolean LANGUAGE sql STABLE
    RETURN i_find_all() OR r.opened_by && my_keys('custody');

-- Those that stand: custody gets all that its keys open, others what they raised themselves, by whatever desk. Which recording it is
-- on is told to those who see that. Of what another custody key opens, custody gets a row without a hold. `beginning`: of its name.
CREATE FUNCTION holds_told(beginning text) RETURNS TABLE (hold text, recording uuid, raised_for text, at timestamptz,
        provisional_until timestamptz, confirm_by timestamptz, look_again date, raised_by text, why text, time_zone text, alone boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody', 'it');
    custody boolean := my_keys('custody') <> '{}';
BEGIN
    RETURN QUERY SELECT CASE WHEN mine.it OR i_open_as_custody(r) THEN h.hold END, CASE WHEN i_see(r) THEN h.recording END,
            h.raised_for, h.at, h.provisional_until, h.confirm_by, h.look_again, w.raised_by, w.why, c.time_zone,
            greatest(r.documentation_until, r.training_until) <= statement_timestamp()
        FROM holds h JOIN recordings r USING (recording) JOIN calls c USING (call) JOIN hold_words w USING (hold),
            LATERAL (SELECT w.person IS NOT DISTINCT FROM who.person AS it) mine
        WHERE h.lifted_at IS NULL AND starts_with(h.hold, beginning) AND (custody OR mine.it) ORDER BY h.at, h.hold;
END $$;

-- In which zones the days of these calls are counted: of one recording, or of a number.
CREATE FUNCTION zones_of(of uuid, of_hash bytea) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('agent', 'case_handler', 'lead', 'custody');
    RETURN QUERY SELECT DISTINCT c.time_zone FROM calls c JOIN recordings r USING (call) LEFT JOIN call_numbers n USING (call)
        WHERE r.recording = of OR n.number_hash = of_hash;
END $$;

-- On one recording, or on all of a number, by whoever takes the complaint: they need not see them. `due`: the moment by which it is
-- to be confirmed or answered, by zone. What they hold for the same reason already is held by that. Which recordings it was is told to
-- whoever named it, or may search for it by number.
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
BEGIN
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
        IF NOT stood THEN
            INSERT INTO holds (hold, recording, raised_for, at, confirm_by)
                VALUES (gen_random_uuid()::text, row.recording, raised, statement_timestamp(), (due ->> zone)::timestamptz)
                RETURNING * INTO known;
            INSERT INTO hold_words (hold, person, raised_by, why) SELECT known.hold, who.person, p.subject, of_why
                FROM people p WHERE p.person = who.person;
            DELETE FROM wraps w WHERE w.recording = row.recording AND w.role = 'training';
            PERFORM note('hold_placed', CASE raised WHEN 'access' THEN 'G08' ELSE 'G10' END, row.call::text, row.recording,
                jsonb_build_object('hold', known.hold, 'by', raised));
        END IF;
        RETURN QUERY SELECT known.hold, CASE WHEN named THEN row.recording END, known.at, known.provisional_until,
            known.confirm_by, known.look_again, zone,
            greatest(row.documentation_until, row.training_until) <= statement_timestamp(), stood;
    END LOOP;
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

-- What custody needs to seal a recording anew: each segment's data key, sealed for a key of theirs. The log tells of it, since whoever
-- has them can hear it.
CREATE FUNCTION keys_to_decide(of uuid) RETURNS TABLE (line text, segment integer, purposes text[], key_id text, suite text, sealed bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    row recordings;
BEGIN
    PERFORM need_custody();
    SELECT * INTO row FROM recordings r WHERE r.recording = of;
    IF row.recording IS NULL THEN
        RAISE EXCEPTION 'no such recording' USING ERRCODE = 'KT404';
    END IF;
    PERFORM note('keys_to_decide', 'G11', row.call::text, of, jsonb_build_object('role', 'custody'));
    RETURN QUERY SELECT row.line, s.segment, s.purposes, w.key_id, w.suite, w.sealed
        FROM segments s JOIN wraps w ON w.recording = s.recording AND w.segment = s.segment AND w.role = 'custody'
            AND 'custody:' || w.key_id = ANY (my_keys('custody'))
        WHERE s.recording = of AND lives_for(row, 'custody') ORDER BY s.segment, w.key_id;
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
    UPDATE holds h SET provisional_until = until WHERE h.recording = of AND h.lifted_at IS NULL AND h.raised_for = 'controller'
        AND h.confirmed_at IS NULL AND (h.provisional_until IS NULL OR h.provisional_until > until);
    IF FOUND THEN
        PERFORM note('hold_provisional', 'G04', row.call::text, of, '{}');
    END IF;
END $$;

-- As `take_back`. `until`: how long a hold of ours stands against it.
CREATE FUNCTION take_back_until(of_withdrawal uuid, of_group uuid, of_hash bytea, which text[], why text, until timestamptz)
    RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'custody');
    kept uuid[];
    one uuid;
    reached integer;
BEGIN
    PERFORM lock_party(of_group, of_hash);
    kept := ARRAY (SELECT r.recording FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call)
        WHERE (c.call_group = of_group OR n.number_hash = of_hash)
            AND greatest(r.documentation_until, r.training_until, r.waits_until) > statement_timestamp() ORDER BY r.recording);
    reached := take_back(of_withdrawal, of_group, of_hash, which, why);
    FOREACH one IN ARRAY kept LOOP
        PERFORM holds_meet_refusal(one, until);
        PERFORM erase_unless_kept(one, why);
    END LOOP;
    RETURN reached;
END $$;

-- By a case handler or data protection, who have proved a key: an opt-out of training (`opt_out`), or a consent taken back
-- (`withdraw`, of these purposes), in the whole call group of a recording or in all of a number, and in what arrives of it later.
-- `hold_until`: how long a hold of ours stands against it. `remembered_until`: how long later calls are in no sample. Which recordings
-- it was is told to who named it, or finds it. Done again, it changes nothing.
CREATE FUNCTION right_taken(of_withdrawal uuid, of uuid, of_hash bytea, of_right text, which text[], hold_until timestamptz,
        remembered_until timestamptz) RETURNS TABLE (recording uuid, purposes text[], gone boolean, restricted text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('case_handler', 'custody');
    consent boolean := of_right = 'withdraw';
    why text := CASE of_right WHEN 'withdraw' THEN 'withdrawn' ELSE 'declined_by_voice' END;
    of_group uuid;
    its_hash bytea := of_hash;
    these uuid[];
    one uuid;
    row recordings;
    ended text[];
    named boolean;
    went boolean;
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
    IF EXISTS (SELECT FROM withdrawals w WHERE w.withdrawal = of_withdrawal) THEN
        RETURN;
    END IF;
    INSERT INTO withdrawals (withdrawal, call_group, number_hash, purposes, reason, at, person, of_consent)
        VALUES (of_withdrawal, of_group, CASE WHEN of IS NULL THEN of_hash END, which, why, statement_timestamp(), who.person, consent);
    these := ARRAY (SELECT r.recording FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call)
        WHERE c.call_group = of_group OR (of IS NULL AND n.number_hash = of_hash) ORDER BY r.recording);
    PERFORM FROM recordings r WHERE r.recording = ANY (these) ORDER BY r.recording FOR UPDATE;
    PERFORM note(of_right || '_sought', CASE WHEN consent THEN 'G04' ELSE 'G31' END, coalesce(of_group::text, ''), NULL,
        jsonb_build_object('count', cardinality(these)));
    IF NOT consent AND its_hash IS NOT NULL THEN
        INSERT INTO remembered VALUES (its_hash, 'refused', '', '', '', statement_timestamp(), remembered_until, statement_timestamp())
            ON CONFLICT (number_hash, what, line, purpose) DO UPDATE SET told_at = greatest(remembered.told_at, excluded.told_at),
                at = least(remembered.at, excluded.at), until = greatest(remembered.until, excluded.until);
        PERFORM note('refusal_remembered', 'G31', '', NULL, '{}');
    END IF;
    FOREACH one IN ARRAY these LOOP
        SELECT r.* INTO row FROM recordings r WHERE r.recording = one;
        named := one IS NOT DISTINCT FROM of OR (of IS NULL AND i_see(row));
        ended := ARRAY (SELECT p.purpose FROM purposes p WHERE p.recording = one AND p.purpose = ANY (which)
            AND (p.stands = 'keeps' OR (p.stands = 'taken_back' AND p.reason = 'grounds_given'))
            AND (NOT consent OR p.basis = 'consent') ORDER BY p.purpose);
        CONTINUE WHEN ended = '{}';
        PERFORM purposes_end(ARRAY [one], ended, 'taken_back', why);
        PERFORM note('taken_back', CASE WHEN consent THEN 'G04' ELSE 'G31' END, row.call::text, one,
            jsonb_build_object('purposes', array_to_string(ended, ' '), 'why', why));
        PERFORM holds_meet_refusal(one, hold_until);
        went := erase_unless_kept(one, why);
        RETURN QUERY SELECT CASE WHEN named THEN one END, ended, went,
            (SELECT CASE r.restricted WHEN 'hold_only' THEN 'hold_only' ELSE 'case' END FROM recordings r
                WHERE r.recording = one AND r.restricted IS NOT NULL);
    END LOOP;
END $$;

-- What was taken back before it arrived, what was refused before it began, and what custody has upheld for its number. A consent that
-- was taken back ends what rests on one.
CREATE OR REPLACE FUNCTION apply_known(of uuid) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    call calls;
    hash bytea;
    one record;
BEGIN
    SELECT c.* INTO call FROM calls c JOIN recordings r USING (call) WHERE r.recording = of;
    SELECT n.number_hash INTO hash FROM call_numbers n WHERE n.call = call.call;
    FOR one IN
        SELECT its.ends, 'taken_back' AS how, w.reason AS why FROM withdrawals w, unnest(w.purposes) AS its (ends)
            WHERE (NOT w.of_consent OR EXISTS (SELECT FROM purposes p
                    WHERE p.recording = of AND p.purpose = its.ends AND p.basis = 'consent'))
                AND ((w.number_hash = hash AND call.started_at <= w.at) OR (w.call_group = call.call_group AND (
                    w.desk IS NULL OR w.desk = call.desk
                    -- A no to training is the caller's: an agent of the group's has heard it, whichever.
                    OR (its.ends = 'training'
                        AND EXISTS (SELECT FROM calls c WHERE c.call_group = w.call_group AND c.desk = w.desk)))))
        UNION ALL
        SELECT its.ends, CASE m.what WHEN 'upheld' THEN 'upheld' ELSE 'taken_back' END, 'declined_earlier'
            FROM remembered m, unnest(ARRAY ['documentation', 'training']) AS its (ends)
            WHERE m.number_hash = hash AND m.line IN ('', call.line) AND m.at <= call.started_at AND m.until > call.started_at
                AND CASE m.what
                    WHEN 'upheld' THEN m.purpose IN ('', its.ends)
                    WHEN 'refused' THEN its.ends = coalesce(nullif(m.purpose, ''), 'training')
                    WHEN 'do_not_sample' THEN its.ends = 'training'
                    ELSE false
                END
    LOOP
        PERFORM purposes_end(ARRAY [of], ARRAY [one.ends], one.how, one.why);
    END LOOP;
END $$;

-- An agent's note about an own call, or none any more (`seals` empty). `seals`: [{key_id, suite, sealed}], for custody. What data
-- protection has erased stays away.
CREATE FUNCTION note_put(of_call uuid, of_agent text, of_hash bytea, of_at timestamptz, until_day date, until timestamptz, seals jsonb)
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
    DELETE FROM call_notes WHERE call = of_call;
    IF jsonb_array_length(seals) > 0 THEN
        INSERT INTO call_notes VALUES (of_call, who.desk, address(of_agent), of_hash, least(of_at, statement_timestamp()), until_day, until);
        INSERT INTO call_note_seals SELECT of_call, s.key_id, s.suite, decode(s.sealed, 'hex')
            FROM jsonb_to_recordset(seals) AS s (key_id text, suite text, sealed text);
    END IF;
END $$;

-- Agents' notes about a number's calls, newest first, as sealed for a key of who asks.
CREATE FUNCTION notes_read(of_hash bytea) RETURNS TABLE (call uuid, agent text, at timestamptz, until date, key_id text, suite text,
        sealed bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need_custody();
    PERFORM note('notes_read', 'G08', '', NULL, jsonb_build_object('count', (SELECT count(*) FROM call_notes n
        WHERE n.number_hash = of_hash AND n.until_at > statement_timestamp())));
    RETURN QUERY SELECT n.call, n.agent, n.at, n.until, s.key_id, s.suite, s.sealed
        FROM call_notes n JOIN call_note_seals s USING (call)
        WHERE n.number_hash = of_hash AND n.until_at > statement_timestamp() AND 'custody:' || s.key_id = ANY (my_keys('custody'))
        ORDER BY n.at DESC, n.call, s.key_id;
END $$;

-- Returns how many there were.
CREATE FUNCTION notes_erase(of_hash bytea, of_reason text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    these uuid[];
BEGIN
    PERFORM need_custody();
    WITH went AS (UPDATE call_notes SET erased_at = statement_timestamp(), number_hash = NULL
            WHERE number_hash = of_hash RETURNING call)
        SELECT coalesce(array_agg(call), '{}') INTO these FROM went;
    DELETE FROM call_note_seals WHERE call = ANY (these);
    PERFORM note('notes_erased', 'G37', '', NULL, jsonb_build_object('count', cardinality(these), 'reason', of_reason));
    RETURN cardinality(these);
END $$;

-- What has reached its day and waits for custody, oldest first, from `since` on. A row without a recording: another custody key opens
-- it. What a case restricts is decided with the case.
CREATE FUNCTION judging_told(since timestamptz, after_it uuid, most integer) RETURNS TABLE (recording uuid, purpose text, line text,
        opened_at timestamptz, time_zone text, retention text, expires_on date, judge_by date, held boolean, ends_at timestamptz, it uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need('custody');
    IF my_keys('custody') = '{}' THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
    RETURN QUERY SELECT CASE WHEN i_open_as_custody(r) THEN r.recording END, p.purpose, r.line, r.opened_at, c.time_zone, p.retention,
            p.expires_on, p.judge_by, r.held, p.ends_at, r.recording
        FROM purposes p JOIN recordings r USING (recording) JOIN calls c USING (call)
        WHERE p.stands = 'keeps' AND p.at_end = 'review' AND p.ends_at <= statement_timestamp()
            AND coalesce(p.judge_until, 'infinity') > statement_timestamp() AND r.restricted IS NULL
            AND (since IS NULL OR (p.ends_at, p.recording) > (since, after_it))
        -- With both purposes of the last, where they end together.
        ORDER BY p.ends_at, p.recording FETCH FIRST (most) ROWS WITH TIES;
END $$;

-- Of one recording, for custody.
CREATE FUNCTION judging_of(of uuid) RETURNS TABLE (recording uuid, purpose text, line text, opened_at timestamptz, time_zone text,
        retention text, expires_on date, judge_by date, held boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need_custody();
    RETURN QUERY SELECT p.recording, p.purpose, r.line, r.opened_at, c.time_zone, p.retention, p.expires_on, p.judge_by, r.held
        FROM recordings r JOIN calls c USING (call) JOIN purposes p USING (recording)
        WHERE r.recording = of AND (to_judge(of, p.purpose)).recording IS NOT NULL ORDER BY p.purpose;
END $$;

-- One purpose that waits for custody now, or nothing.
CREATE FUNCTION to_judge(of uuid, of_purpose text) RETURNS purposes LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT p.* FROM purposes p JOIN recordings r USING (recording) WHERE p.recording = of AND p.purpose = of_purpose
        AND p.stands = 'keeps' AND p.at_end = 'review' AND p.ends_at <= statement_timestamp()
        AND coalesce(p.judge_until, 'infinity') > statement_timestamp() AND r.restricted IS NULL
$$;

-- Custody keeps it until a day that the domain has judged: no longer than its own period once more. Those whom the policy names can
-- open it again. False: it does not wait.
CREATE FUNCTION judged_keep(of uuid, of_purpose text, by_day date, until timestamptz, why text, anew jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
    its purposes;
BEGIN
    PERFORM need_custody();
    SELECT * INTO row FROM recordings r WHERE r.recording = of FOR UPDATE;
    its := to_judge(of, of_purpose);
    IF its.recording IS NULL THEN
        RETURN false;
    END IF;
    IF until <= statement_timestamp() OR until > statement_timestamp() + coalesce(its.retention::interval, interval '0') + interval '2 days' THEN
        RAISE EXCEPTION 'longer than its own period' USING ERRCODE = 'KT422';
    END IF;
    UPDATE purposes p SET expires_on = by_day, ends_at = until, judge_by = NULL, judge_until = NULL
        WHERE p.recording = of AND p.purpose = of_purpose;
    IF seal_living(of, ARRAY [of_purpose], anew) <> '{}' THEN
        RAISE EXCEPTION 'nobody could open it' USING ERRCODE = 'KT422';
    END IF;
    PERFORM note('judged_kept', CASE of_purpose WHEN 'training' THEN 'G36' ELSE 'G10' END, row.call::text, of,
        jsonb_build_object('purpose', of_purpose, 'until', by_day, 'why', why));
    RETURN true;
END $$;

-- Custody lets it go: these purposes end, and with the last one all of it goes, unless a hold keeps it. Returns `gone`, `kept`, or
-- `none`: nothing of it waits.
CREATE FUNCTION judged_end(of uuid, which text[], why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
    one text;
    out text := 'none';
BEGIN
    PERFORM need_custody();
    SELECT * INTO row FROM recordings r WHERE r.recording = of FOR UPDATE;
    FOR one IN SELECT p.purpose FROM purposes p WHERE p.recording = of AND p.purpose = ANY (which) ORDER BY p.purpose LOOP
        CONTINUE WHEN (to_judge(of, one)).recording IS NULL;
        out := 'kept';
        PERFORM purposes_end(ARRAY [of], ARRAY [one], 'expired', 'judged');
        PERFORM note('judged_ended', CASE one WHEN 'training' THEN 'G36' ELSE 'G10' END, row.call::text, of,
            jsonb_build_object('purpose', one, 'why', why));
    END LOOP;
    IF out = 'kept' AND erase_unless_kept(of, 'judged') THEN
        out := 'gone';
    END IF;
    RETURN out;
END $$;

-- The signed bytes of the newest policy, for what its own words decide.
CREATE FUNCTION newest_signed() RETURNS TABLE (number bigint, signed bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT p.number, p.signed FROM policies p WHERE p.number = newest_policy()
$$;

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

-- Undecided objections and grounds about recordings that are here, oldest first; of one recording, or of all. A row without one:
-- another custody key opens it.
CREATE FUNCTION cases_told(of uuid) RETURNS TABLE (number bigint, recording uuid, call uuid, kind text, line text, received_at timestamptz,
        deadline date, goes_on date, overdue boolean, held boolean, time_zone text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need('custody');
    IF my_keys('custody') = '{}' THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
    RETURN QUERY SELECT k.number, CASE WHEN i_open_as_custody(r) THEN r.recording END, r.call, k.kind, r.line, k.received_at, k.deadline,
            -- Where a purpose that lives has no day, nothing says when it goes.
            (SELECT CASE WHEN count(*) = count(p.expires_on) THEN max(p.expires_on) END FROM purposes p
                WHERE p.recording = r.recording AND (p.stands = 'keeps' OR p.reason = 'grounds_given')),
            k.overdue_at <= statement_timestamp(), r.held, c.time_zone
        FROM case_recordings o JOIN cases k USING (number) JOIN recordings r USING (recording) JOIN calls c USING (call)
        WHERE o.decision IS NULL AND k.kind IN ('objection', 'grounds_given') AND (of IS NULL OR o.recording = of)
        ORDER BY k.received_at, r.recording, k.number;
END $$;

-- Custody decides what is open about this recording, each once, with a reason that the person gets: `number` alone, of the cases that
-- were told. `anew`: what is sealed again where it is not upheld. An upheld one is remembered for the number and the line, so that
-- later calls are not recorded for it. Returns `gone`, `held` (only a hold keeps it), `kept`, and whether the number is remembered.
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
    UPDATE recordings r SET restricted = NULL WHERE r.recording = of AND its.kind = 'objection' AND r.restricted = 'objection'
        AND NOT EXISTS (SELECT FROM case_recordings o JOIN cases c USING (number)
            WHERE o.recording = of AND o.decision IS NULL AND c.kind = 'objection');
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

-- Notes too, past their day.
CREATE OR REPLACE FUNCTION forget() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    went bigint := 0;
    more bigint;
BEGIN
    DELETE FROM remembered WHERE until <= statement_timestamp();
    GET DIAGNOSTICS went = ROW_COUNT;
    DELETE FROM wraps_aside WHERE until <= statement_timestamp();
    GET DIAGNOSTICS more = ROW_COUNT;
    went := went + more;
    DELETE FROM call_notes WHERE until_at <= statement_timestamp();
    GET DIAGNOSTICS more = ROW_COUNT;
    went := went + more;
    DELETE FROM proofs WHERE until <= statement_timestamp();
    DELETE FROM codes WHERE expires_at <= statement_timestamp() - interval '7 days';
    DELETE FROM sessions WHERE refresh_until <= statement_timestamp() - interval '7 days';
    RETURN went;
END $$;
