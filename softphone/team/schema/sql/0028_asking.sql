-- Until when a dispute is to be confirmed is the same everywhere (`due`, under no zone), and a request's day is counted where the call was.
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
                    CASE raised
                        -- As `softphone.domain.retention.answer_by` has it.
                        WHEN 'access' THEN day_begins(((statement_timestamp() AT TIME ZONE zone)::date + interval '1 month')::date + 1, zone)
                            - interval '1 second'
                        ELSE least(coalesce(due ->> '', due ->> zone, 'infinity')::timestamptz, statement_timestamp() + interval '1 year')
                    END)
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

-- For services of the version before. By number it tells nothing: that somebody has called is no agent's to ask in silence.
CREATE OR REPLACE FUNCTION zones_of(of uuid, of_hash bytea) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('agent', 'case_handler', 'lead', 'custody');
    RETURN QUERY SELECT DISTINCT c.time_zone FROM calls c JOIN recordings r USING (call)
        WHERE r.recording = of;
END $$;

CREATE OR REPLACE FUNCTION note_put(of_call uuid, of_agent text, of_hash bytea, of_at timestamptz, until_day date, until timestamptz, seals jsonb)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    known call_notes;
    its uuid := (SELECT c.desk FROM calls c WHERE c.call = of_call);
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
    -- Whose call it is, the house knows once a recording of it is here: that desk's note takes the place of another's.
    IF its <> who.desk OR (its IS NULL AND known.desk <> who.desk) THEN
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

-- What a desk was given that is revoked, another of the agent's gets.
CREATE OR REPLACE FUNCTION my_accounts() RETURNS TABLE (address text, told jsonb, waits boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT a.address, a.told, a.password IS NOT NULL AND (a.taken_by IS NULL OR a.taken_by = my_desk()
        OR EXISTS (SELECT FROM desks d WHERE d.desk = a.taken_by AND d.revoked_at IS NOT NULL))
    FROM desk_accounts a WHERE a.address = ANY (my_agents()) ORDER BY a.address
$$;

CREATE OR REPLACE FUNCTION account_passwords() RETURNS TABLE (address text, password bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
BEGIN
    RETURN QUERY UPDATE desk_accounts a SET taken_by = who.desk
        WHERE a.address = ANY (who.agents) AND a.password IS NOT NULL AND (a.taken_by IS NULL OR a.taken_by = who.desk
            OR EXISTS (SELECT FROM desks d WHERE d.desk = a.taken_by AND d.revoked_at IS NOT NULL))
        RETURNING a.address, a.password;
    IF FOUND THEN
        PERFORM note('account_passwords_given', 'G11', '', NULL, jsonb_build_object('desk', who.desk));
    END IF;
END $$;

CREATE OR REPLACE FUNCTION key_proved(of_role text, of_key text, nonce bytea) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need(CASE of_role
        WHEN 'documentation' THEN 'case_handler' WHEN 'training' THEN 'lead' ELSE 'custody' END);
BEGIN
    -- One answer a challenge, right or wrong.
    DELETE FROM key_challenges c WHERE c.person = who.person AND c.role = of_role AND c.key_id = of_key
        AND c.until > statement_timestamp() AND c.nonce_hash = sha256(nonce);
    -- A policy may have dropped the key meanwhile.
    IF NOT FOUND OR NOT EXISTS (SELECT FROM policy_keys p
            WHERE p.number = newest_policy() AND p.role = of_role AND p.key_id = of_key) THEN
        DELETE FROM key_challenges c WHERE c.person = who.person AND c.role = of_role AND c.key_id = of_key;
        PERFORM note('key_refused', 'G11', '', NULL, jsonb_build_object('role', of_role));
        RETURN false;
    END IF;
    INSERT INTO person_keys (person, role, key_id) VALUES (who.person, of_role, of_key) ON CONFLICT DO NOTHING;
    PERFORM note('key_proved', 'G11', '', NULL, jsonb_build_object('role', of_role, 'key', left(of_key, 16)));
    RETURN true;
END $$;
