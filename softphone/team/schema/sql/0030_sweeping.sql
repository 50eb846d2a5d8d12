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
