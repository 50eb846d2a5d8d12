-- After the call: what is taken back, what is remembered of a number; and how what nothing keeps goes.

-- A purpose of these ends, and with it its wraps. What ends is for the domain to say; here it can only become less. What was said in
-- a review goes with the training (L4).
CREATE FUNCTION purposes_end(these uuid[], which text[], how text, why text) RETURNS void
    LANGUAGE sql SET search_path = klartone, pg_temp AS $$
    UPDATE purposes SET stands = how, reason = why
        WHERE recording = ANY (these) AND purpose = ANY (which) AND stands = 'keeps';
    -- A no is more than grounds that custody may reject.
    UPDATE purposes SET reason = why
        WHERE recording = ANY (these) AND purpose = ANY (which) AND stands = 'taken_back' AND reason = 'grounds_given';
    DELETE FROM wraps WHERE recording = ANY (these) AND role = ANY (which);
    DELETE FROM wraps_aside WHERE recording = ANY (these) AND 'training' = ANY (which);
    DELETE FROM review_comments WHERE recording = ANY (these) AND 'training' = ANY (which);
    DELETE FROM review_scores WHERE recording = ANY (these) AND 'training' = ANY (which);
    DELETE FROM review_openings WHERE recording = ANY (these) AND 'training' = ANY (which);
    DELETE FROM reviews WHERE recording = ANY (these) AND 'training' = ANY (which)
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
    undecided boolean;
BEGIN
    DELETE FROM recordings WHERE recording = of RETURNING * INTO row;
    IF row.recording IS NULL THEN
        RETURN;
    END IF;
    DELETE FROM receipts WHERE recording = of;
    INSERT INTO tombstones (recording, object_key, reason) VALUES (of, row.object_key, why);
    DELETE FROM calls c WHERE c.call = row.call AND NOT EXISTS (SELECT FROM recordings r WHERE r.call = c.call);
    -- What nobody can decide any more is over: the log and the cases are forgotten in their time.
    UPDATE cases SET decision = 'gone', reason = 'undecided', decided_at = statement_timestamp() WHERE recording = of AND decision IS NULL;
    undecided := FOUND;
    PERFORM note('recording_discarded', 'G10', row.call::text, of,
        jsonb_build_object('why', why) || CASE WHEN undecided THEN '{"undecided": true}' ELSE '{}'::jsonb END);
END $$;

-- By an agent, in a call group: all of own calls, as long as they find one of them; of others' what is the caller's to take back. Who
-- names a group has had a call of it, or seen one: its id cannot be guessed. What an agent tells without having heard it, ends too
-- much and widens nothing. By a case handler or custody, who have proved a key, by call or number. It reaches what arrives later too.
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
        IF (known.call_group, known.number_hash, known.purposes, known.call)
                IS DISTINCT FROM (of_group, of_hash, which, NULL::uuid) THEN
            RAISE EXCEPTION 'another withdrawal' USING ERRCODE = 'KT409';
        END IF;
        RETURN 0;
    END IF;
    IF NOT others AND (of_hash IS NOT NULL OR NOT 'agent' = ANY (who.roles)) THEN
        RAISE EXCEPTION 'not by number, not without a key' USING ERRCODE = 'KT403';
    END IF;
    IF NOT others AND EXISTS (SELECT FROM calls c WHERE c.call = of_group AND c.call_group <> of_group
            AND i_made(c.person, c.agent, c.started_at) IS NOT TRUE) THEN
        RAISE EXCEPTION 'a call of another agent, not a group' USING ERRCODE = 'KT403';
    END IF;
    IF NOT others AND own_since() > (
            SELECT max(c.started_at) FROM calls c WHERE c.call_group = of_group AND i_made(c.person, c.agent, c.started_at)) THEN
        RAISE EXCEPTION 'not your call any more' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO withdrawals (withdrawal, call_group, number_hash, purposes, reason, at, person, desk)
        VALUES (of_withdrawal, of_group, of_hash, which, why, statement_timestamp(), who.person,
            CASE WHEN others THEN NULL ELSE who.desk END);
    SELECT coalesce(array_agg(r.recording ORDER BY r.recording), '{}') INTO reached
        FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call)
        WHERE (c.call_group = of_group OR n.number_hash = of_hash)
            AND (others OR i_made(c.person, c.agent, c.started_at) OR of_the_party(r.recording, which) <> '{}');
    PERFORM FROM recordings WHERE recording = ANY (reached) ORDER BY recording FOR UPDATE;
    PERFORM purposes_end(ARRAY [r.recording],
            CASE WHEN others OR i_made(c.person, c.agent, c.started_at) THEN which ELSE of_the_party(r.recording, which) END, 'taken_back', why)
        FROM recordings r JOIN calls c USING (call) WHERE r.recording = ANY (reached);
    PERFORM note('taken_back', CASE why WHEN 'withdrawn' THEN 'G04' ELSE 'G31' END, coalesce(of_group::text, ''), NULL,
        jsonb_build_object('purposes', which, 'why', why, 'count', cardinality(reached)));
    PERFORM erase_unless_kept(one, why) FROM unnest(reached) AS one;
    RETURN cardinality(reached);
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

-- What a right does to one of these. What needs no ground ends; the rest is a case. `anew`: also where there was such a case before.
-- `took`: the last that it did; none: nothing.
CREATE FUNCTION right_meets(of uuid, asked withdrawals, anew boolean, OUT ended text[], OUT cased boolean, OUT took text)
    LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    one record;
    its record;
    why text;
    whole boolean;
BEGIN
    ended := '{}';
    cased := false;
    SELECT r.call, r.restricted, c.time_zone, c.notice INTO one FROM recordings r JOIN calls c USING (call) WHERE r.recording = of;
    FOR its IN SELECT p.purpose, p.basis, p.stands = 'keeps' AS keeps FROM purposes p WHERE p.recording = of
            AND (p.stands = 'keeps' OR (p.stands = 'taken_back' AND p.reason = 'grounds_given')) ORDER BY p.purpose DESC LOOP
        why := CASE
            WHEN asked.of_right IN ('withdraw', 'erase') AND its.basis = 'consent' AND its.purpose = ANY (asked.purposes) THEN 'withdrawn'
            -- As `softphone.domain.notice.SPECIAL` has it: custody weighs the grounds.
            WHEN asked.of_right IN ('opt_out', 'erase') AND its.purpose = 'training' AND one.notice IN ('N5', 'N8')
                AND its.basis IS DISTINCT FROM 'consent' THEN CASE WHEN its.keeps AND one.restricted IS NULL THEN 'grounds_given' END
            WHEN asked.of_right IN ('opt_out', 'erase') AND its.purpose = 'training' THEN 'declined_by_voice'
            -- As `Basis.can_be_objected_to` has it. What is restricted is objected to, or nothing but training was there.
            WHEN asked.of_right IN ('object', 'erase') AND its.purpose = 'documentation' AND its.keeps AND one.restricted IS NULL
                AND its.basis IN ('legitimate_interest', 'public_task') THEN 'objection' END;
        IF anew AND asked.of_right IN ('object', 'erase') AND its.purpose = 'documentation' AND its.basis = 'legal_obligation' THEN
            PERFORM note('request_noted', 'G23', one.call::text, of, '{}');
        END IF;
        CONTINUE WHEN why IS NULL;
        IF why IN ('withdrawn', 'declined_by_voice') THEN
            took := why;
            ended := ended || its.purpose;
            PERFORM purposes_end(ARRAY [of], ARRAY [its.purpose], 'taken_back', why);
            PERFORM note('taken_back', CASE why WHEN 'withdrawn' THEN 'G04' ELSE 'G31' END, one.call::text, of,
                jsonb_build_object('purposes', its.purpose, 'why', why));
            CONTINUE;
        END IF;
        CONTINUE WHEN NOT anew AND EXISTS (SELECT FROM cases c WHERE c.recording = of AND c.kind = why);
        took := why;
        cased := true;
        PERFORM case_make(of, why, coalesce(day_begins(asked.received, one.time_zone), asked.at), 'letter', asked.person, '{}');
        whole := why = 'objection' OR NOT EXISTS (SELECT FROM purposes p WHERE p.recording = of
            AND p.purpose = 'documentation' AND p.stands = 'keeps');
        IF EXISTS (SELECT FROM purposes p WHERE p.recording = of AND p.purpose = 'training' AND p.stands = 'keeps') THEN
            ended := ended || 'training'::text;
            IF why = 'objection' OR NOT whole THEN
                PERFORM case_restricts(of, why, false);
            END IF;
        END IF;
        IF whole THEN
            PERFORM case_restricts(of, why, true);
        END IF;
    END LOOP;
END $$;

-- By a case handler or data protection, who have proved a key: an opt-out of training (`opt_out`), a consent taken back (`withdraw`, of
-- these purposes), an objection to documentation (`object`), or a request for erasure (`erase`: all of these), in the whole call group of
-- a recording or in all of a number, also in what arrives of it later. What needs no ground ends at once; the rest is a case, within a
-- month of the day on which the letter came (NULL: today). `hold_until`: how long a hold of ours stands against it. `remembered_until`:
-- how long later calls are in no sample. Which recordings it was is told to who named it, or finds it. Done again, it changes nothing.
CREATE FUNCTION right_taken(of_withdrawal uuid, of uuid, of_hash bytea, of_right text, which text[], of_day date, hold_until timestamptz,
        remembered_until timestamptz) RETURNS TABLE (recording uuid, purposes text[], gone boolean, restricted text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('case_handler', 'custody');
    rule text := CASE of_right WHEN 'withdraw' THEN 'G04' WHEN 'opt_out' THEN 'G31' WHEN 'object' THEN 'G23' ELSE 'G37' END;
    of_group uuid;
    its_hash bytea := of_hash;
    these uuid[];
    one record;
    did record;
    went boolean;
    in_vain boolean := true;
    asked withdrawals;
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
    SELECT * INTO asked FROM withdrawals w WHERE w.withdrawal = of_withdrawal;
    IF asked.withdrawal IS NOT NULL THEN
        IF (asked.call_group, asked.number_hash, asked.purposes, asked.of_right)
                IS DISTINCT FROM (of_group, CASE WHEN of IS NULL THEN of_hash END, which, of_right) THEN
            RAISE EXCEPTION 'another withdrawal' USING ERRCODE = 'KT409';
        END IF;
        RETURN;
    END IF;
    INSERT INTO withdrawals (withdrawal, call_group, number_hash, purposes, reason, at, person, of_right, received)
        VALUES (of_withdrawal, of_group, CASE WHEN of IS NULL THEN of_hash END, which, CASE of_right WHEN 'withdraw' THEN 'withdrawn'
            WHEN 'object' THEN 'objection' ELSE 'declined_by_voice' END, statement_timestamp(), who.person, of_right, of_day)
        RETURNING * INTO asked;
    these := ARRAY (SELECT r.recording FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call)
        WHERE c.call_group = of_group OR (of IS NULL AND n.number_hash = of_hash) ORDER BY r.recording);
    PERFORM FROM recordings r WHERE r.recording = ANY (these) ORDER BY r.recording FOR UPDATE;
    PERFORM note(of_right || '_sought', rule, coalesce(of_group::text, ''), NULL, jsonb_build_object('count', cardinality(these)));
    FOR one IN SELECT r.recording, r.restricted, r.recording IS NOT DISTINCT FROM of OR (of IS NULL AND i_see(r)) AS named
            FROM recordings r WHERE r.recording = ANY (these) ORDER BY r.recording LOOP
        SELECT * INTO did FROM right_meets(one.recording, asked, true);
        CONTINUE WHEN did.took IS NULL;
        in_vain := false;
        PERFORM holds_meet_refusal(one.recording, hold_until);
        went := erase_unless_kept(one.recording, did.took);
        RETURN QUERY SELECT CASE WHEN one.named THEN one.recording END, ARRAY (SELECT e FROM unnest(did.ended) AS e ORDER BY e), went,
            CASE WHEN r.restricted = 'hold_only' THEN r.restricted WHEN did.cased OR r.restricted IS NOT NULL THEN 'case' END
            FROM (SELECT 1) AS one_row LEFT JOIN recordings r ON r.recording = one.recording;
    END LOOP;
    IF in_vain AND of_right = 'withdraw' THEN
        PERFORM note('no_consent_found', rule, coalesce(of_group::text, ''), NULL, '{}');
    END IF;
    IF its_hash IS NOT NULL AND of_right <> 'withdraw' THEN
        INSERT INTO remembered VALUES (its_hash, 'refused', '', '', '', statement_timestamp(),
                least(remembered_until, statement_timestamp() + interval '10 years'), statement_timestamp())
            ON CONFLICT (number_hash, what, line, purpose) DO UPDATE SET told_at = greatest(remembered.told_at, excluded.told_at),
                at = least(remembered.at, excluded.at), until = greatest(remembered.until, excluded.until);
        PERFORM note('refusal_remembered', 'G31', '', NULL, '{}');
    END IF;
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
            told_at = greatest(remembered.told_at, excluded.told_at), at = least(remembered.at, excluded.at),
            until = greatest(remembered.until, excluded.until);
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
        AND ((SELECT i_find_all()) OR (r.opened_by && (SELECT my_keys('documentation')) AND lives_for(r, 'documentation')));
END $$;

-- What a caller takes back at whichever desk of the group: training, and what rests on consent.
CREATE FUNCTION of_the_party(of uuid, which text[]) RETURNS text[] LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT coalesce(array_agg(p.purpose ORDER BY p.purpose), '{}') FROM purposes p
        WHERE p.recording = of AND p.purpose = ANY (which) AND (p.purpose = 'training' OR p.basis = 'consent')
$$;

-- What an agent ends without the caller, as by marking the call private: in this call alone, as long as the agent finds it. What is
-- held stays, for custody. It reaches what arrives of the call later too. Returns how many recordings it reached.
CREATE FUNCTION take_back_own(of_withdrawal uuid, of_group uuid, of_call uuid, which text[], why text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    known withdrawals;
    reached uuid[];
BEGIN
    PERFORM lock_party(of_group, NULL);
    SELECT * INTO known FROM withdrawals w WHERE w.withdrawal = of_withdrawal;
    IF known.withdrawal IS NOT NULL THEN
        IF (known.call_group, known.call, known.purposes) IS DISTINCT FROM (of_group, of_call, which) THEN
            RAISE EXCEPTION 'another withdrawal' USING ERRCODE = 'KT409';
        END IF;
        RETURN 0;
    END IF;
    IF EXISTS (SELECT FROM calls c WHERE c.call = of_call
            AND (i_made(c.person, c.agent, c.started_at) IS NOT TRUE OR c.call_group <> of_group OR c.started_at < own_since())) THEN
        RAISE EXCEPTION 'not your call, or not any more' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO withdrawals (withdrawal, call_group, purposes, reason, at, person, desk, call)
        VALUES (of_withdrawal, of_group, which, why, statement_timestamp(), who.person, who.desk, of_call);
    reached := ARRAY (SELECT r.recording FROM recordings r WHERE r.call = of_call ORDER BY r.recording);
    PERFORM FROM recordings WHERE recording = ANY (reached) ORDER BY recording FOR UPDATE;
    PERFORM purposes_end(reached, which, 'taken_back', why);
    PERFORM note('taken_back', 'G01', of_call::text, NULL,
        jsonb_build_object('purposes', which, 'why', why, 'count', cardinality(reached)));
    PERFORM erase_unless_kept(one, why) FROM unnest(reached) AS one;
    RETURN cardinality(reached);
END $$;
