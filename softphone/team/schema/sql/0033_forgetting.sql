-- The log's own end of time, and that of cases: by the sweep, from a moment on that the domain has computed by the policy.

-- Each length that a policy gave a purpose which something here may still have.
CREATE FUNCTION terms_standing() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT DISTINCT t.retention FROM policy_terms t, LATERAL (SELECT min(p.taken_at) AS at FROM policies p WHERE p.number > t.number) next
        WHERE next.at IS NULL OR next.at + t.retention::interval > statement_timestamp() - interval '14 days'
$$;

-- Where a chain begins. An entry that says so and has gone itself is vouched for by the beginning of its own chain.
CREATE FUNCTION log_begun(of_chain text) RETURNS TABLE (number bigint, hash text)
    LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT b.number, b.hash FROM log_begins b WHERE b.chain = of_chain AND (
        b.said <= (SELECT s.number FROM log_begins s WHERE s.chain = 'service')
        OR EXISTS (SELECT FROM audit a WHERE a.chain = 'service' AND a.number = b.said AND a.event = 'sweep_log_cut'
            AND a.told::jsonb -> 'params' @> jsonb_build_object('chain', b.chain, 'number', b.number, 'hash', b.hash)))
$$;

-- A first part of each chain that has begun a month before that moment, so that each is cut once a month, or `most` entries at a time:
-- up to the first entry about what is here still, of a recording, its call or its case. The last one of a chain stays. Returns how
-- many entries went.
CREATE FUNCTION log_cut(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    one record;
    goes record;
    went bigint := 0;
    past timestamptz := least(before, statement_timestamp() - interval '1 year');
BEGIN
    -- One sweeper at a time; the others go on.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('klartone.audit.cut', 0)) THEN
        RETURN 0;
    END IF;
    FOR one IN SELECT c.chain, f.number, f.newest FROM (SELECT 'service' AS chain UNION ALL SELECT d.desk::text FROM desks d) c,
            LATERAL (SELECT a.number, a.at, (SELECT max(b.number) FROM audit b WHERE b.chain = c.chain) AS newest
                FROM audit a WHERE a.chain = c.chain ORDER BY a.number LIMIT 1) f
            WHERE f.at <= past - interval '31 days' ORDER BY c.chain <> 'service', c.chain LOOP
        EXIT WHEN went >= most;
        SELECT a.number, a.hash INTO goes FROM audit a WHERE a.chain = one.chain
            AND a.number < least(one.newest, one.number + most - went, (SELECT s.number FROM audit s,
                LATERAL (SELECT CASE WHEN s.recording ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN s.recording::uuid END AS recording,
                    CASE WHEN s.call ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN s.call::uuid END AS call) of
                WHERE s.chain = one.chain AND (s.at > past OR EXISTS (SELECT FROM recordings r WHERE r.recording = of.recording)
                    OR EXISTS (SELECT FROM recordings r WHERE r.call = of.call)
                    OR EXISTS (SELECT FROM case_recordings k WHERE k.recording = of.recording))
                ORDER BY s.number LIMIT 1))
            ORDER BY a.number DESC LIMIT 1;
        CONTINUE WHEN goes.number IS NULL;
        PERFORM note('sweep_log_cut', 'G10', '', NULL, jsonb_build_object('chain', one.chain, 'number', goes.number, 'hash', goes.hash,
            'count', goes.number - one.number + 1, 'begins', goes.number + 1));
        INSERT INTO log_begins SELECT one.chain, goes.number, goes.hash, h.number FROM service_head() h
            ON CONFLICT (chain) DO UPDATE SET number = excluded.number, hash = excluded.hash, said = excluded.said;
        DELETE FROM audit a WHERE a.chain = one.chain AND a.number <= goes.number;
        went := went + goes.number - one.number + 1;
    END LOOP;
    RETURN went;
END $$;

-- Cases that were over before that moment, and about nothing that is here. One of a call is over once it is decided; one by letter,
-- once it was answered. Returns how many went.
CREATE FUNCTION cases_forget(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    these bigint[] := ARRAY (SELECT c.number FROM cases c WHERE c.received_at <= before
        AND c.state = ANY (CASE c.received_how WHEN 'call' THEN '{decided,answered,closed}' ELSE '{answered,closed}' END::text[])
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

-- As before; what has gone in its time is taken again without a word, as a desk ships it to a house that was set back.
CREATE OR REPLACE FUNCTION audit_ship(entries jsonb) RETURNS bigint
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
            PERFORM note('desk_log_begins_late', 'G11', '', NULL, jsonb_build_object('number', one.number));
        END IF;
        INSERT INTO audit (chain, number, at, event, rule, call, recording, told, previous, hash)
            SELECT who.desk::text, one.number, statement_timestamp(), j ->> 'event', j ->> 'rule', coalesce(j ->> 'call', ''),
                j ->> 'recording', one.told, one.previous, one.hash FROM (SELECT one.told::jsonb AS j) AS read;
        SELECT one.number, one.hash INTO last;
    END LOOP;
    RETURN last.number;
END $$;

-- A piece of a chain after an entry whose hash is known (NULL: from its beginning): the last one that holds, how many were read,
-- and the first that does not. The service's begins with its first entry, or where it says itself that it does.
CREATE OR REPLACE FUNCTION compare_log(of_chain text, after bigint, after_hash text, most integer)
    RETURNS TABLE (number bigint, hash text, read bigint, wrong bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    WITH begun AS (
        SELECT b.number, b.hash FROM (SELECT l.* FROM log_begun(of_chain) l UNION ALL SELECT after, after_hash WHERE after IS NOT NULL
            UNION ALL SELECT 0, repeat('0', 64) WHERE of_chain = 'service') b ORDER BY b.number DESC LIMIT 1
    ), piece AS (
        SELECT a.number, a.hash, coalesce(lag(a.number) OVER w, b.number) AS before, coalesce(lag(a.hash) OVER w, b.hash) AS linked,
                a.previous, encode(sha256(convert_to(a.previous || a.told, 'UTF8')), 'hex') AS made
            FROM (SELECT b.* FROM audit b WHERE b.chain = of_chain AND (after IS NULL OR b.number > after) ORDER BY b.number LIMIT most) a
            LEFT JOIN begun b ON true WINDOW w AS (ORDER BY a.number)
    ), judged AS (
        SELECT p.*, p.hash = p.made AND (p.before IS NULL OR (p.number = p.before + 1 AND p.previous = p.linked)) AS whole FROM piece p
    ), first AS (SELECT min(j.number) AS wrong FROM judged j WHERE NOT j.whole)
    SELECT l.number, l.hash, (SELECT count(*) FROM piece), f.wrong
        FROM first f LEFT JOIN LATERAL (SELECT j.number, j.hash FROM judged j WHERE f.wrong IS NULL OR j.number < f.wrong
            ORDER BY j.number DESC LIMIT 1) l ON true
$$;

-- Each signed head, and the hash that the log has at that entry now. An entry that a restore has taken, or that has gone in its time,
-- is none to compare.
CREATE OR REPLACE FUNCTION compare_heads(after bigint, most integer) RETURNS TABLE (head jsonb, here text, lost boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT to_jsonb(s), coalesce(a.hash, b.hash), b.number > s.number IS TRUE
            OR EXISTS (SELECT FROM restores r WHERE r.epoch > s.epoch AND r.number < s.number)
        FROM signed_heads s LEFT JOIN audit a ON a.chain = 'service' AND a.number = s.number
        LEFT JOIN log_begun('service') b ON b.number >= s.number
        WHERE s.serial > after ORDER BY s.serial LIMIT most
$$;

-- Desks whose log is not what the service's log says that it was when it came; `number`: of the service's entry.
CREATE OR REPLACE FUNCTION compare_countersigned(after bigint, most integer) RETURNS TABLE (number bigint, desk text, holds boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT n.number, n.desk, b.number > n.of IS TRUE OR coalesce(a.hash, b.hash) IS NOT DISTINCT FROM n.hash FROM (
            SELECT s.number, j ->> 'desk' AS desk, (j #>> '{params,number}')::bigint AS of, j #>> '{params,hash}' AS hash
            FROM (SELECT b.number, b.told::jsonb AS j FROM audit b WHERE b.chain = 'service' AND b.number > after
                AND b.event = 'desk_log_arrived' ORDER BY b.number LIMIT most) s) n
        LEFT JOIN audit a ON a.chain = n.desk AND a.number = n.of
        LEFT JOIN LATERAL (SELECT l.* FROM log_begun(n.desk) l WHERE l.number >= n.of) b ON true ORDER BY n.number
$$;

GRANT EXECUTE ON FUNCTION terms_standing(), log_cut(timestamptz, integer), cases_forget(timestamptz, integer) TO klartone_sweeper;
