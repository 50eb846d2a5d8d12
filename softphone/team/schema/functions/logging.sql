-- The service's own chain, and those of desks. An entry is made in the transaction of what it tells of.

-- Whoever logs waits for whoever logs: the chain is one. Where a house outgrows that, chains of their own follow it.
CREATE FUNCTION note(of_event text, of_rule text, of_call text, of_recording uuid, params jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions;
    last record;
    moment timestamptz := date_trunc('milliseconds', clock_timestamp());
    words text;
BEGIN
    SELECT * INTO who FROM asking();
    PERFORM pg_advisory_xact_lock(hashtextextended('klartone.audit.service', 0));
    SELECT number, hash INTO last FROM audit WHERE chain = 'service' ORDER BY number DESC LIMIT 1;
    words := json_build_object(
        'at', to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'event', of_event, 'rule', of_rule,
        'call', of_call, 'recording', of_recording, 'person', who.person, 'desk', who.desk, 'params', params
    )::text;
    INSERT INTO audit (chain, number, at, event, rule, call, recording, told, previous, hash) VALUES (
        'service', coalesce(last.number, 0) + 1, moment, of_event, of_rule, of_call, of_recording::text, words,
        coalesce(last.hash, repeat('0', 64)),
        encode(sha256(convert_to(coalesce(last.hash, repeat('0', 64)) || words, 'UTF8')), 'hex')
    );
END $$;

CREATE FUNCTION service_head() RETURNS TABLE (number bigint, hash text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT a.number, a.hash FROM audit a WHERE a.chain = 'service' ORDER BY a.number DESC LIMIT 1;
END $$;

-- Of the log IT sees these, and no others. What one desk was refused is not among them: it is mostly about a call, and by the second.
CREATE FUNCTION events_of_it() RETURNS text[] LANGUAGE sql IMMUTABLE RETURN '{
    signed_in, desk_moved, desk_left, desk_revoked, person_departed, person_returned, refresh_refused, token_elsewhere_refused, code_made,
    key_proved, key_refused, account_set, account_removed, account_passwords_given, policy_taken, house_settings_taken,
    refused_often, limited, desk_log_begins, sweep_log_cut, sweep_stuck, verified, database_restored}'::text[];

-- Where the service's log begins and ends, and what it has entries of, by the index, however many: from each kind to the next.
CREATE FUNCTION service_log() RETURNS TABLE (first bigint, last bigint, events text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('custody', 'it');
    RETURN QUERY WITH RECURSIVE kinds (event) AS (
        SELECT min(a.event) FROM audit a WHERE a.chain = 'service'
        UNION ALL SELECT (SELECT min(a.event) FROM audit a WHERE a.chain = 'service' AND a.event > k.event) FROM kinds k
            WHERE k.event IS NOT NULL
    ) SELECT (SELECT min(a.number) FROM audit a WHERE a.chain = 'service'), (SELECT max(a.number) FROM audit a WHERE a.chain = 'service'),
        array_agg(k.event) FILTER (WHERE k.event IS NOT NULL AND (i_find_all() OR i_am('it') AND k.event = ANY (events_of_it())))
        FROM kinds k;
END $$;

-- Nobody fills the log with refusals: 100 of a desk in a minute, and 2,000 a day. Then one entry says so.
CREATE FUNCTION note_rated(of_event text, of_rule text, of_call text, of_recording uuid, params jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    of_desk uuid := (SELECT desk FROM asking());
    minute bigint;
    day bigint;
BEGIN
    IF of_desk IS NOT NULL AND of_event IN ('refused', 'recording_refused', 'hold_refused', 'token_elsewhere_refused') THEN
        minute := rated(of_desk, 'refused', 'minute', 1);
        day := rated(of_desk, 'refused a day', 'day', 1);
        IF minute > 100 OR day > 2000 THEN
            IF minute = 101 OR day = 2001 THEN
                PERFORM note('refused_often', 'G11', '', NULL, jsonb_build_object('minute', minute, 'day', day));
            END IF;
            RETURN;
        END IF;
    END IF;
    PERFORM note(of_event, of_rule, of_call, of_recording, params);
END $$;

-- What a route has to say: a refusal, a clock that is wrong. Who asked is put in here, and cannot be given. All else functions say and
-- nobody else: a service that was taken over writes no erasure and no opening into the log.
CREATE FUNCTION audit_note(of_event text, of_rule text, of_call text, of_recording uuid, params jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF of_event NOT IN ('refused', 'recording_refused', 'hold_refused', 'opening_refused', 'review_refused', 'clock_off') THEN
        RAISE EXCEPTION 'not from outside' USING ERRCODE = 'KT403';
    END IF;
    PERFORM note_rated(of_event, of_rule, of_call, of_recording, params);
END $$;

-- After which entry a desk's log begins, and that entry's hash: the service's log says so, and a signed head covers that.
CREATE FUNCTION log_begins_say(of_chain text, after bigint, after_hash text) RETURNS void
    LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM note('desk_log_begins', 'G11', '', NULL,
        jsonb_build_object('chain', of_chain, 'number', after, 'hash', after_hash, 'begins', after + 1));
    INSERT INTO log_begins SELECT of_chain, after, after_hash, h.number FROM service_head() h
        ON CONFLICT (chain) DO UPDATE SET number = excluded.number, hash = excluded.hash, said = excluded.said;
END $$;

-- Entries of the session's own desk: [{number, told, previous, hash}]. `told` is what the desk hashes, as JSON. They follow what is
-- here, or are what is here; anything else is refused. Returns the number of the newest. What has gone in its time is taken again
-- without a word, as a desk ships it to a house that was set back.
CREATE FUNCTION audit_ship(entries jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    one record;
    last record;
    begun bigint := (SELECT b.number FROM log_begins b WHERE b.chain = who.desk::text);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('klartone.audit.' || who.desk, 0));
    SELECT number, hash INTO last FROM audit WHERE chain = who.desk::text ORDER BY number DESC LIMIT 1;
    FOR one IN SELECT e.number, e.told, e.previous, e.hash FROM jsonb_to_recordset(entries)
            AS e (number bigint, told text, previous text, hash text) ORDER BY e.number LOOP
        CONTINUE WHEN one.number <= begun;
        IF one.number <= last.number THEN
            IF NOT EXISTS (SELECT FROM audit a WHERE a.chain = who.desk::text AND a.number = one.number AND a.hash = one.hash) THEN
                RAISE EXCEPTION 'another entry' USING ERRCODE = 'KT409';
            END IF;
            CONTINUE;
        END IF;
        IF last.number IS NOT NULL AND (one.number <> last.number + 1 OR one.previous <> last.hash) THEN
            RAISE EXCEPTION 'does not follow' USING ERRCODE = 'KT409';
        END IF;
        IF one.hash <> encode(sha256(convert_to(one.previous || one.told, 'UTF8')), 'hex') THEN
            RAISE EXCEPTION 'another digest' USING ERRCODE = 'KT422';
        END IF;
        -- What is searched by is read out of what is hashed.
        IF (one.told::jsonb ->> 'number')::bigint IS DISTINCT FROM one.number THEN
            RAISE EXCEPTION 'another number' USING ERRCODE = 'KT422';
        END IF;
        IF last.number IS NULL AND (one.number <> 1 OR one.previous <> repeat('0', 64)) THEN
            PERFORM log_begins_say(who.desk::text, one.number - 1, one.previous);
        END IF;
        INSERT INTO audit (chain, number, at, event, rule, call, recording, told, previous, hash)
            SELECT who.desk::text, one.number, statement_timestamp(), j ->> 'event', j ->> 'rule', coalesce(j ->> 'call', ''),
                j ->> 'recording', one.told, one.previous, one.hash FROM (SELECT one.told::jsonb AS j) AS read;
        SELECT one.number, one.hash INTO last;
    END LOOP;
    RETURN last.number;
END $$;

-- Where a chain begins, if the service's log says so.
CREATE FUNCTION log_begun(of_chain text) RETURNS TABLE (number bigint, hash text)
    LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT b.number, b.hash FROM log_begins b WHERE b.chain = of_chain
        AND EXISTS (SELECT FROM audit a WHERE a.chain = 'service' AND a.number = b.said AND a.event IN ('sweep_log_cut', 'desk_log_begins')
            AND a.told::jsonb -> 'params' @> jsonb_build_object('chain', b.chain, 'number', b.number, 'hash', b.hash))
$$;
