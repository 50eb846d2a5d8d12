-- For the sweeper's login: what has reached its moment goes. Several run at once; each takes what no other holds.

-- Of at most so many recordings, and 20 at once: whoever logs waits for it meanwhile. What is due is judged when it is taken, by
-- moments alone.
CREATE FUNCTION sweep(most integer) RETURNS TABLE (recording uuid, what text, purpose text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    one record;
    void record;
    due record;
BEGIN
    FOR one IN SELECT r.recording, r.call FROM recordings r WHERE r.due_at <= statement_timestamp() AND r.due_at < 'infinity'
            ORDER BY r.due_at LIMIT least(most, 20) FOR UPDATE SKIP LOCKED LOOP
        FOR void IN UPDATE holds h SET lifted_at = statement_timestamp()
                WHERE h.recording = one.recording AND h.lifted_at IS NULL AND h.raised_for = 'controller'
                    AND h.provisional_until <= statement_timestamp() RETURNING h.hold LOOP
            UPDATE hold_words w SET lifted_reason = 'void' WHERE w.hold = void.hold;
            PERFORM note('sweep_hold_void', 'G10', one.call::text, one.recording, jsonb_build_object('hold', void.hold));
            RETURN QUERY SELECT one.recording, 'hold_void', NULL::text;
            -- Its training wraps went with it, and nobody here can make them anew. Grounds are custody's still to decide.
            IF NOT (SELECT r.held FROM recordings r WHERE r.recording = one.recording) AND EXISTS (SELECT FROM purposes p
                    WHERE p.recording = one.recording AND p.purpose = 'training' AND p.stands = 'keeps') THEN
                PERFORM purposes_end(ARRAY [one.recording], ARRAY ['training'], 'taken_back', 'void');
            END IF;
        END LOOP;
        FOR due IN SELECT p.purpose, p.judge_until IS NOT NULL AS listed FROM purposes p JOIN recordings r USING (recording)
                WHERE p.recording = one.recording AND p.stands = 'keeps' AND CASE
                    WHEN p.judge_until IS NOT NULL THEN p.judge_until
                    -- What a case restricts is not judged: that would prolong it.
                    WHEN p.at_end = 'delete' OR coalesce(r.restricted, 'hold_only') <> 'hold_only' THEN p.ends_at
                END <= statement_timestamp() LOOP
            PERFORM purposes_end(ARRAY [one.recording], ARRAY [due.purpose], 'expired',
                CASE WHEN due.listed THEN 'not_judged' ELSE 'expired' END);
            PERFORM note('sweep_purpose_expired', CASE due.purpose WHEN 'training' THEN 'G36' ELSE 'G10' END,
                one.call::text, one.recording, jsonb_build_object('purpose', due.purpose));
            RETURN QUERY SELECT one.recording, CASE WHEN due.listed THEN 'not_judged' ELSE 'purpose_expired' END, due.purpose;
        END LOOP;
        IF erase_unless_kept(one.recording, 'expired') THEN
            RETURN QUERY SELECT one.recording, 'discarded', NULL::text;
        END IF;
    END LOOP;
END $$;

-- What is remembered, put aside, or was to be used once, past its moment; notes too. Returns how many rows went.
CREATE FUNCTION forget() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
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
    -- Who has left is named as long as the log reaches back to when they were here. It does while anything here is of that time. Whom
    -- the directory lets in no more may have left without a word: then no session is left, and none of their desks was seen since.
    UPDATE people p SET issuer = 'forgotten', subject = p.person::text WHERE p.issuer <> 'forgotten'
        AND coalesce(p.left_at, CASE WHEN NOT EXISTS (SELECT FROM sessions s WHERE s.person = p.person) THEN greatest(p.since,
            (SELECT max(greatest(d.joined_at, d.seen_at)) FROM desks d WHERE d.person = p.person)) END)
        < (SELECT a.at FROM audit a WHERE a.chain = 'service' ORDER BY a.number LIMIT 1);
    RETURN went;
END $$;

-- A withdrawal reaches what arrives later, so it is kept as long as anything that began before it could live. Returns how many went.
CREATE FUNCTION withdrawals_forget() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    longest interval := (SELECT max(t.retention::interval) FROM policy_terms t);
    went bigint;
BEGIN
    DELETE FROM withdrawals w WHERE w.at + longest + interval '31 days' <= statement_timestamp();
    GET DIAGNOSTICS went = ROW_COUNT;
    RETURN went;
END $$;

-- What one sweeper takes, no other takes for ten minutes: the object store is asked meanwhile, and no transaction is open.
-- So what it refuses does not come again in the same sweep.
CREATE FUNCTION tombstones_take(most integer) RETURNS TABLE (recording uuid, object_key text, reason text, at timestamptz, written boolean)
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    UPDATE tombstones t SET tried_at = statement_timestamp() FROM (
        SELECT s.recording FROM tombstones s WHERE s.erased_at IS NULL
            AND (s.tried_at IS NULL OR s.tried_at <= statement_timestamp() - interval '10 minutes')
            ORDER BY s.at LIMIT most FOR UPDATE SKIP LOCKED) taken
    WHERE t.recording = taken.recording RETURNING t.recording, t.object_key, t.reason, t.at, t.written_at IS NOT NULL
$$;

CREATE FUNCTION tombstone_written(of uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    UPDATE tombstones SET written_at = statement_timestamp() WHERE recording = of AND written_at IS NULL
$$;

-- Every version of the object is gone. Not before the tombstone lies beside it.
CREATE FUNCTION tombstone_erased(of uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    UPDATE tombstones SET erased_at = statement_timestamp() WHERE recording = of AND written_at IS NOT NULL AND erased_at IS NULL;
    IF FOUND THEN
        PERFORM note('recording_erased', 'G10', '', of, '{}');
    END IF;
    RETURN FOUND;
END $$;

-- One found in the object store that a restored database does not have: what came back goes.
CREATE FUNCTION tombstone_apply(of uuid, of_key text, why text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    -- As an arrival takes it.
    PERFORM pg_advisory_xact_lock(hashtextextended(of::text, 0));
    IF EXISTS (SELECT FROM tombstones WHERE recording = of) THEN
        RETURN false;
    END IF;
    PERFORM erase(of, why);
    INSERT INTO tombstones (recording, object_key, reason, written_at) VALUES (of, of_key, why, statement_timestamp())
        ON CONFLICT (recording) DO UPDATE SET written_at = statement_timestamp();
    RETURN true;
END $$;

-- Uploads that nobody has touched for so long are given up. Those that were, ten minutes ago: to be ended in the object store.
CREATE FUNCTION uploads_given_up(older interval, most integer) RETURNS TABLE (object_key text, upload text)
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    WITH gone AS (DELETE FROM uploads u WHERE u.touched_at <= statement_timestamp() - older RETURNING u.object_key, u.upload)
        INSERT INTO uploads_ended (object_key, upload) SELECT g.object_key, g.upload FROM gone g;
    UPDATE uploads_ended e SET tried_at = statement_timestamp() FROM (
        SELECT s.object_key FROM uploads_ended s WHERE s.ended_at <= statement_timestamp() - interval '10 minutes'
            AND (s.tried_at IS NULL OR s.tried_at <= statement_timestamp() - interval '10 minutes')
            ORDER BY s.ended_at LIMIT most FOR UPDATE SKIP LOCKED) taken
    WHERE e.object_key = taken.object_key RETURNING e.object_key, e.upload
$$;

-- Nothing of it lies in the object store any more.
CREATE FUNCTION upload_gone(of_key text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    DELETE FROM uploads_ended WHERE object_key = of_key
$$;

-- Each length that a policy gave a purpose which something here may still have.
CREATE FUNCTION terms_standing() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT DISTINCT t.retention FROM policy_terms t, LATERAL (SELECT min(p.taken_at) AS at FROM policies p WHERE p.number > t.number) next
        WHERE next.at IS NULL OR next.at + t.retention::interval > statement_timestamp() - interval '14 days'
$$;

-- A first part of each chain that has begun a month before that moment, so that each is cut once a month, or `most` entries at a time:
-- up to the first entry about what is here still, of a recording, its call or its case. The last one of a chain stays. Returns how
-- many entries went. Of the rest of the chain it looks at no more than may go now.
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
                WHERE s.chain = one.chain AND s.number < one.number + most - went
                    AND (s.at > past OR EXISTS (SELECT FROM recordings r WHERE r.recording = of.recording)
                    OR EXISTS (SELECT FROM recordings r WHERE r.call = of.call)
                    OR EXISTS (SELECT FROM cases k WHERE k.recording = of.recording))
                ORDER BY s.number LIMIT 1))
            ORDER BY a.number DESC LIMIT 1;
        CONTINUE WHEN goes.number IS NULL;
        PERFORM note('sweep_log_cut', 'G10', '', NULL, jsonb_build_object('chain', one.chain, 'number', goes.number, 'hash', goes.hash,
            'count', goes.number - one.number + 1, 'begins', goes.number + 1));
        INSERT INTO log_begins SELECT one.chain, goes.number, goes.hash, h.number FROM service_head() h
            ON CONFLICT (chain) DO UPDATE SET number = excluded.number, hash = excluded.hash, said = excluded.said;
        -- What goes now of the service's own says where desks' logs begin: that is said again.
        IF one.chain = 'service' THEN
            PERFORM log_begins_say(b.chain, b.number, b.hash) FROM log_begins b WHERE b.chain <> 'service' AND b.said <= goes.number;
        END IF;
        DELETE FROM audit a WHERE a.chain = one.chain AND a.number <= goes.number;
        went := went + goes.number - one.number + 1;
    END LOOP;
    RETURN went;
END $$;

-- Cases that were decided before that moment, and about nothing that is here. Returns how many went.
CREATE FUNCTION cases_forget(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    these bigint[] := ARRAY (SELECT c.number FROM cases c WHERE c.decided_at <= before
        AND NOT EXISTS (SELECT FROM recordings r WHERE r.recording = c.recording)
        ORDER BY c.number LIMIT most FOR UPDATE SKIP LOCKED);
BEGIN
    DELETE FROM cases c WHERE c.number = ANY (these);
    IF these <> '{}' THEN
        PERFORM note('cases_forgotten', 'G10', '', NULL, jsonb_build_object('count', cardinality(these)));
    END IF;
    RETURN cardinality(these);
END $$;
