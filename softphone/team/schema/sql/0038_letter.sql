-- An objection to documentation that came by letter (G23).

-- By a case handler or data protection, who have proved a key: in the whole call group of a recording, or in all of a number that is
-- here. A case of each, which data protection decides as any other, within a month of the day on which the letter came; NULL: today. Which
-- recordings it was is told to who named it, or finds it. Done again, it changes nothing.
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
        INSERT INTO cases (kind, received_at, received_how, received_by, identity, deadline, overdue_at)
            VALUES ('objection', received, 'letter', who.person, '{}', day, day_begins(day + 1, one.time_zone))
            RETURNING number INTO made;
        INSERT INTO case_recordings (number, recording) VALUES (made, one.recording);
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
REVOKE EXECUTE ON FUNCTION objection_received(uuid, bytea, date, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION objection_received(uuid, bytea, date, timestamptz) TO klartone_service;

-- Cases that were over before that moment, and about nothing that is here. An objection, and grounds, are over once decided: the
-- decision is the answer. Another is, once it was answered. Returns how many went.
CREATE OR REPLACE FUNCTION cases_forget(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    these bigint[] := ARRAY (SELECT c.number FROM cases c WHERE c.received_at <= before
        AND c.state = ANY (CASE WHEN c.received_how = 'call' OR c.kind IN ('objection', 'grounds_given')
            THEN '{decided,answered,closed}' ELSE '{answered,closed}' END::text[])
        AND coalesce(c.closed_at, c.answered_at, '-infinity') <= before
        AND NOT EXISTS (SELECT FROM case_recordings k WHERE k.number = c.number AND (k.decided_at IS NULL OR k.decided_at > before
            OR EXISTS (SELECT FROM recordings r WHERE r.recording = k.recording)))
        ORDER BY c.number LIMIT most FOR UPDATE SKIP LOCKED);
BEGIN
    DELETE FROM case_concerns k WHERE k.number = ANY (these);
    DELETE FROM case_recordings k WHERE k.number = ANY (these);
    DELETE FROM cases c WHERE c.number = ANY (these);
    IF these <> '{}' THEN
        PERFORM note('cases_forgotten', 'G10', '', NULL, jsonb_build_object('count', cardinality(these)));
    END IF;
    RETURN cardinality(these);
END $$;
