-- Agents' notes about calls, for data protection.

-- An agent's note about an own call, or none any more (`seals` empty). `seals`: [{key_id, suite, sealed}], for custody. What data
-- protection has erased stays away.
CREATE FUNCTION note_put(of_call uuid, of_agent text, of_hash bytea, of_at timestamptz, until_day date, until timestamptz, seals jsonb)
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
