-- What has to reach storage: legal holds, and what a restored database must not undo. The service writes there at once; the sweep
-- looks after it by its own login.

CREATE FUNCTION legal_hold_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    INSERT INTO legal_holds_due VALUES (NEW.recording) ON CONFLICT (recording) DO UPDATE SET tried_at = NULL;
    RETURN NULL;
END $$;

-- What one sweeper takes, no other takes for a minute. `held`: what storage is to say.
CREATE FUNCTION legal_holds_take(most integer) RETURNS TABLE (recording uuid, object_key text, object_version text, held boolean)
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    UPDATE legal_holds_due d SET tried_at = statement_timestamp() FROM (
        SELECT s.recording FROM legal_holds_due s
            WHERE s.tried_at IS NULL OR s.tried_at <= statement_timestamp() - interval '1 minute'
            LIMIT most FOR UPDATE SKIP LOCKED) taken, recordings r
    WHERE d.recording = taken.recording AND r.recording = d.recording RETURNING r.recording, r.object_key, r.object_version, r.held
$$;

-- Of these recordings, those on which they have raised a hold, or which they find all: the request does at once what the sweep does
-- once more a minute later.
CREATE FUNCTION legal_holds_now(these uuid[]) RETURNS TABLE (recording uuid, object_key text, object_version text, held boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody');
    since timestamptz := mine_since();
BEGIN
    RETURN QUERY UPDATE legal_holds_due d SET tried_at = statement_timestamp() FROM recordings r
        WHERE d.recording = ANY (these) AND r.recording = d.recording AND d.tried_at IS NULL
            AND (i_find_all() OR EXISTS (SELECT FROM holds h JOIN hold_words w USING (hold)
                WHERE h.recording = d.recording AND w.person = who.person AND h.placed_at >= since))
        RETURNING r.recording, r.object_key, r.object_version, r.held;
END $$;

-- The sweep has asked storage. Where the row says another thing meanwhile, it is due again. Whether it is done. What the service says
-- changes nothing: whose session it has is no proof of what storage has.
CREATE FUNCTION legal_hold_done(of uuid, is_held boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF session_user <> 'klartone_sweeper' THEN
        PERFORM need('agent', 'case_handler', 'lead', 'custody');
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM recordings r WHERE r.recording = of AND r.held = is_held FOR UPDATE) THEN
        DELETE FROM legal_holds_due d WHERE d.recording = of;
        RETURN true;
    END IF;
    INSERT INTO legal_holds_due SELECT of FROM recordings r WHERE r.recording = of
        ON CONFLICT (recording) DO UPDATE SET tried_at = NULL;
    RETURN false;
END $$;

-- `id`: the row's key. What the sweep ends by its day alone needs no stone: the day is in each backup. Nor does what only a hold
-- restricts.
CREATE FUNCTION stone_laid() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row jsonb := to_jsonb(NEW);
    id text;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'purposes' THEN
            IF NEW.stands = 'expired' AND NEW.reason IN ('expired', 'not_judged') THEN
                RETURN NULL;
            END IF;
            id := NEW.recording || '/' || NEW.purpose;
            row := jsonb_build_object('recording', NEW.recording, 'purpose', NEW.purpose, 'stands', NEW.stands, 'reason', NEW.reason,
                'expires_on', NEW.expires_on, 'ends_at', NEW.ends_at);
        WHEN 'recordings' THEN
            id := NEW.recording;
            row := jsonb_build_object('recording', NEW.recording, 'restricted', NEW.restricted);
        WHEN 'holds' THEN id := NEW.hold;
        WHEN 'call_notes' THEN
            id := NEW.call;
            row := jsonb_build_object('call', NEW.call, 'erased_at', NEW.erased_at);
        WHEN 'policies' THEN
            id := 'newest';
            row := jsonb_build_object('number', NEW.number);
        WHEN 'withdrawals' THEN id := NEW.withdrawal;
        WHEN 'remembered' THEN
            id := encode(sha256(NEW.number_hash || convert_to(concat_ws('/', NEW.what, NEW.line, NEW.purpose), 'UTF8')), 'hex');
        WHEN 'desks' THEN
            id := NEW.desk;
            row := jsonb_build_object('desk', NEW.desk, 'revoked_at', NEW.revoked_at);
        ELSE
            id := NEW.person;
            row := jsonb_build_object('person', NEW.person, 'left_at', NEW.left_at, 'returned_at', NEW.returned_at);
    END CASE;
    INSERT INTO stones (what, id, at, told) VALUES (TG_TABLE_NAME, id, clock_timestamp(), row) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- Who writes a stone, or reads one, knows its MAC.
CREATE FUNCTION stone_key() RETURNS bytea LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT k.key FROM stone_key k
$$;

-- To the service, those of which it has not said that they lie there; to the sweep, those that it has not laid itself.
CREATE FUNCTION stones_take(most integer) RETURNS TABLE (what text, id text, at timestamptz, told jsonb)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF session_user = 'klartone_service' THEN
        RETURN QUERY UPDATE stones t SET offered_at = statement_timestamp() FROM (
            SELECT s.what, s.id, s.at FROM stones s WHERE s.written_at IS NULL AND s.laid_at IS NULL
                AND (s.offered_at IS NULL OR s.offered_at <= statement_timestamp() - interval '1 minute')
                ORDER BY s.at LIMIT most FOR UPDATE SKIP LOCKED) taken
            WHERE (t.what, t.id, t.at) = (taken.what, taken.id, taken.at) RETURNING t.what, t.id, t.at, t.told;
        RETURN;
    END IF;
    RETURN QUERY UPDATE stones t SET tried_at = statement_timestamp() FROM (
        SELECT s.what, s.id, s.at FROM stones s WHERE s.written_at IS NULL
            AND (s.tried_at IS NULL OR s.tried_at <= statement_timestamp() - interval '1 minute')
            ORDER BY s.at LIMIT most FOR UPDATE SKIP LOCKED) taken
        WHERE (t.what, t.id, t.at) = (taken.what, taken.id, taken.at) RETURNING t.what, t.id, t.at, t.told;
END $$;

-- By the service, that it lies in storage; by the sweep, that it has laid it itself. What the service says is not the last word.
CREATE FUNCTION stone_written(of_what text, of_id text, of_at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    UPDATE stones s SET laid_at = coalesce(s.laid_at, statement_timestamp()),
            written_at = CASE WHEN session_user = 'klartone_sweeper' THEN statement_timestamp() ELSE s.written_at END
        WHERE (s.what, s.id, s.at) = (of_what, of_id, of_at)
$$;

-- No backup is as old. One that has met nothing waits: its recording, or its note, may still lie on a desk.
CREATE FUNCTION stones_forget(older interval) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    went bigint;
BEGIN
    DELETE FROM stones s WHERE s.at <= statement_timestamp() - older AND s.written_at IS NOT NULL AND CASE
        WHEN s.what IN ('purposes', 'recordings', 'holds') THEN
            EXISTS (SELECT FROM recordings r WHERE r.recording = (s.told ->> 'recording')::uuid)
            OR EXISTS (SELECT FROM tombstones t WHERE t.recording = (s.told ->> 'recording')::uuid)
        -- No note lives longer.
        WHEN s.what = 'call_notes' THEN EXISTS (SELECT FROM call_notes n WHERE n.call = s.id::uuid)
            OR s.at <= statement_timestamp() - interval '400 days'
        WHEN s.what = 'policies' THEN (s.told ->> 'number')::bigint <= newest_policy()
        ELSE true
    END;
    GET DIAGNOSTICS went = ROW_COUNT;
    RETURN went;
END $$;
