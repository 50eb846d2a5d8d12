-- A caller's no at one desk reaches what the others recorded of the same call before it was transferred.

-- What a caller takes back at whichever desk of the group: training, and what rests on consent.
CREATE FUNCTION of_the_party(of uuid, which text[]) RETURNS text[] LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT coalesce(array_agg(p.purpose ORDER BY p.purpose), '{}') FROM purposes p
        WHERE p.recording = of AND p.purpose = ANY (which) AND (p.purpose = 'training' OR p.basis = 'consent')
$$;

-- By an agent, in a call group: all of own calls, as long as they find one of them; of others' what is the caller's to take back.
-- Who names a group has had a call of it, or seen one: its id cannot be guessed. What an agent tells without having heard it, ends too
-- much and widens nothing. By a case handler or custody, who have proved a key, by call or number. It reaches what arrives later too.
-- Returns how many recordings it reached.
CREATE OR REPLACE FUNCTION take_back(of_withdrawal uuid, of_group uuid, of_hash bytea, which text[], why text) RETURNS integer
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
            AND c.agent <> ALL (who.agents)) THEN
        RAISE EXCEPTION 'a call of another agent, not a group' USING ERRCODE = 'KT403';
    END IF;
    IF NOT others AND own_since() > (
            SELECT max(c.started_at) FROM calls c WHERE c.call_group = of_group AND c.agent = ANY (who.agents)) THEN
        RAISE EXCEPTION 'not your call any more' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO withdrawals (withdrawal, call_group, number_hash, purposes, reason, at, person, desk)
        VALUES (of_withdrawal, of_group, of_hash, which, why, statement_timestamp(), who.person,
            CASE WHEN others THEN NULL ELSE who.desk END);
    SELECT coalesce(array_agg(r.recording ORDER BY r.recording), '{}') INTO reached
        FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call)
        WHERE (c.call_group = of_group OR n.number_hash = of_hash)
            AND (others OR c.agent = ANY (who.agents) OR of_the_party(r.recording, which) <> '{}');
    PERFORM FROM recordings WHERE recording = ANY (reached) ORDER BY recording FOR UPDATE;
    PERFORM purposes_end(ARRAY [r.recording],
            CASE WHEN others OR r.agent = ANY (who.agents) THEN which ELSE of_the_party(r.recording, which) END, 'taken_back', why)
        FROM recordings r WHERE r.recording = ANY (reached);
    PERFORM note('taken_back', CASE why WHEN 'withdrawn' THEN 'G04' ELSE 'G31' END, coalesce(of_group::text, ''), NULL,
        jsonb_build_object('purposes', which, 'why', why, 'count', cardinality(reached)));
    PERFORM erase_unless_kept(one, why) FROM unnest(reached) AS one;
    RETURN cardinality(reached);
END $$;

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
            AND (c.agent <> ALL (who.agents) OR c.call_group <> of_group OR c.started_at < own_since())) THEN
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
REVOKE EXECUTE ON FUNCTION of_the_party(uuid, text[]), take_back_own(uuid, uuid, uuid, text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_back_own(uuid, uuid, uuid, text[], text) TO klartone_service;

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
                AND (w.call IS NULL OR w.call = call.call)
                AND ((w.number_hash = hash AND call.started_at <= w.at) OR (w.call_group = call.call_group AND (
                    w.desk IS NULL OR w.desk = call.desk
                    OR (w.call IS NULL AND its.ends = ANY (of_the_party(of, w.purposes))))))
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
