-- What has come to its end is revived by no hold of ours; an id that is used for something else is refused.
CREATE OR REPLACE FUNCTION holds_raise(of uuid, of_hash bytea, raised text, of_why text, due jsonb) RETURNS TABLE (hold text, recording uuid,
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
        -- As in `holds_place`: one of ours would keep what has come to its end.
        CONTINUE WHEN NOT stood AND raised = 'controller'
            AND greatest(row.documentation_until, row.training_until) <= statement_timestamp();
        IF NOT stood THEN
            INSERT INTO holds (hold, recording, raised_for, at, confirm_by)
                VALUES (gen_random_uuid()::text, row.recording, raised, statement_timestamp(),
                    least(coalesce((due ->> zone)::timestamptz, 'infinity'), statement_timestamp() + interval '1 year'))
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

CREATE OR REPLACE FUNCTION right_taken(of_withdrawal uuid, of uuid, of_hash bytea, of_right text, which text[], hold_until timestamptz,
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
    known withdrawals;
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
    SELECT * INTO known FROM withdrawals w WHERE w.withdrawal = of_withdrawal;
    IF known.withdrawal IS NOT NULL THEN
        IF (known.call_group, known.number_hash, known.purposes, known.of_consent)
                IS DISTINCT FROM (of_group, CASE WHEN of IS NULL THEN of_hash END, which, consent) THEN
            RAISE EXCEPTION 'another withdrawal' USING ERRCODE = 'KT409';
        END IF;
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
