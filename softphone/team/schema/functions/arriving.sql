-- A finished recording arrives: begun, part by part, and then all its rows in one transaction or none.

-- `state`: `going_on` (have: the parts that are here), `stored` (receipt; key and version in storage, in place of an upload's),
-- `erased` (its date came, or it was taken back). What storage has lost goes on once more.
CREATE FUNCTION upload_begin(of uuid, of_size bigint, of_digest bytea, of_chunk integer, at_key text)
    RETURNS TABLE (state text, object_key text, upload text, chunk integer, have integer[], receipt text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent');
    known uploads;
    here recordings;
BEGIN
    IF EXISTS (SELECT FROM tombstones t WHERE t.recording = of) THEN
        RETURN QUERY SELECT 'erased', NULL::text, NULL::text, NULL::integer, NULL::integer[], NULL::text;
        RETURN;
    END IF;
    SELECT * INTO here FROM recordings r WHERE r.recording = of;
    IF here.recording IS NOT NULL THEN
        IF here.desk <> who.desk OR here.digest <> of_digest THEN
            RAISE EXCEPTION 'another recording' USING ERRCODE = 'KT409';
        END IF;
        IF here.missing_at IS NULL THEN
            RETURN QUERY SELECT 'stored', here.object_key, here.object_version, NULL::integer, NULL::integer[],
                (SELECT r.receipt FROM receipts r WHERE r.recording = of);
            RETURN;
        END IF;
    END IF;
    INSERT INTO uploads (recording, desk, person, object_key, size, digest, chunk)
        VALUES (of, who.desk, who.person, at_key, of_size, of_digest, of_chunk) ON CONFLICT (recording) DO NOTHING;
    SELECT * INTO known FROM uploads u WHERE u.recording = of FOR UPDATE;
    IF known.desk <> who.desk OR known.digest <> of_digest OR known.size <> of_size THEN
        RAISE EXCEPTION 'another upload' USING ERRCODE = 'KT409';
    END IF;
    RETURN QUERY SELECT 'going_on', known.object_key, known.upload, known.chunk,
        coalesce((SELECT array_agg(p.part ORDER BY p.part) FROM upload_parts p WHERE p.recording = of), '{}'), NULL::text;
END $$;

-- The object store's own name of the upload; another one starts anew. Returns that which counts: somebody may have been faster.
CREATE FUNCTION upload_named(of uuid, old text, new text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    counts text;
BEGIN
    UPDATE uploads SET upload = new, touched_at = statement_timestamp() WHERE recording = of AND desk = who.desk AND upload = old;
    IF FOUND THEN
        DELETE FROM upload_parts WHERE recording = of;
    END IF;
    SELECT upload INTO counts FROM uploads WHERE recording = of AND desk = who.desk;
    IF counts IS NULL THEN
        RAISE EXCEPTION 'no such upload' USING ERRCODE = 'KT404';
    END IF;
    RETURN counts;
END $$;

CREATE FUNCTION upload_part(of uuid, of_upload text, number integer, of_digest bytea, of_etag text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
BEGIN
    UPDATE uploads SET touched_at = statement_timestamp() WHERE recording = of AND desk = who.desk AND upload = of_upload;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such upload' USING ERRCODE = 'KT404';
    END IF;
    INSERT INTO upload_parts VALUES (of, number, of_digest, of_etag)
        ON CONFLICT (recording, part) DO UPDATE SET digest = excluded.digest, etag = excluded.etag;
END $$;

-- One's own. It may begin anew at once, under another key. False: there is none.
CREATE FUNCTION upload_drop(of uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
BEGIN
    WITH gone AS (DELETE FROM uploads u WHERE u.recording = of AND u.desk = who.desk RETURNING u.object_key, u.upload)
        INSERT INTO uploads_ended (object_key, upload) SELECT g.object_key, g.upload FROM gone g;
    RETURN FOUND;
END $$;

-- All that a recording is. `told` has `call`, `number` (its hash, and seals), `recording`, and lists of `purposes`, `segments`,
-- `wraps`, `holds`: rows of those tables. The session says whose desk it is, whatever `told` says.
-- Returns `stored`, `again` (it was here), or `erased` (nothing keeps it any more), and where the service's log stands.
CREATE FUNCTION recording_store(of uuid, told jsonb) RETURNS TABLE (result text, head bigint, head_hash text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent');
    known uploads;
    call calls;
    row recordings;
    hash bytea := decode(told #>> '{number,hash}', 'hex');
    out text := 'stored';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(of::text, 0));
    IF EXISTS (SELECT FROM tombstones t WHERE t.recording = of) THEN
        -- It has put the file once more: the next sweep takes that too.
        UPDATE tombstones t SET erased_at = NULL, tried_at = NULL WHERE t.recording = of AND t.erased_at IS NOT NULL;
        RETURN QUERY SELECT 'erased', h.number, h.hash FROM service_head() h;
        RETURN;
    END IF;
    PERFORM lock_party((told #>> '{call,call_group}')::uuid, hash);
    SELECT * INTO row FROM recordings r WHERE r.recording = of;
    IF row.recording IS NOT NULL THEN
        IF row.desk <> who.desk OR row.digest <> decode(told #>> '{recording,digest}', 'hex') THEN
            RAISE EXCEPTION 'another recording' USING ERRCODE = 'KT409';
        END IF;
        PERFORM object_again(row, told #>> '{recording,object_key}', told #>> '{recording,object_version}');
        RETURN QUERY SELECT 'again', h.number, h.hash FROM service_head() h;
        RETURN;
    END IF;
    SELECT * INTO known FROM uploads u WHERE u.recording = of AND u.desk = who.desk FOR UPDATE;
    -- One that was given up and begun anew has another key: what lies under the old one goes with a sweep.
    IF known.recording IS NULL OR known.object_key <> told #>> '{recording,object_key}' THEN
        RAISE EXCEPTION 'no such upload' USING ERRCODE = 'KT404';
    END IF;
    IF known.digest <> decode(told #>> '{recording,digest}', 'hex') OR known.size <> (told #>> '{recording,size}')::bigint THEN
        RAISE EXCEPTION 'another digest' USING ERRCODE = 'KT422';
    END IF;
    call := jsonb_populate_record(NULL::calls, told -> 'call' || jsonb_build_object('desk', who.desk, 'person', NULL));
    call.agent := address(call.agent);
    IF NOT call.agent = ANY (who.agents) THEN
        RAISE EXCEPTION 'not your call' USING ERRCODE = 'KT403';
    END IF;
    IF call.started_at > statement_timestamp() + interval '5 minutes' THEN
        RAISE EXCEPTION 'not yet' USING ERRCODE = 'KT422';
    END IF;
    call.person := joined_then(who.desk, call.started_at);
    INSERT INTO calls SELECT call.* ON CONFLICT (call) DO NOTHING;
    -- Another recording of a call that is here tells the same of it.
    IF NOT EXISTS (SELECT FROM calls c WHERE c.call = call.call AND c.desk = who.desk AND c.agent = call.agent
            AND c.call_group = call.call_group AND c.line IS NOT DISTINCT FROM call.line
            AND c.started_at = call.started_at) THEN
        RAISE EXCEPTION 'another call' USING ERRCODE = 'KT409';
    END IF;
    IF hash IS NOT NULL THEN
        INSERT INTO call_numbers VALUES (call.call, hash) ON CONFLICT DO NOTHING;
        INSERT INTO call_number_seals SELECT call.call, s.role, s.key_id, s.suite, decode(s.sealed, 'hex')
            FROM jsonb_to_recordset(told #> '{number,seals}') AS s (role text, key_id text, suite text, sealed text)
            ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO recordings (recording, call, desk, person, line, agent, opened_at, closed_at, broke_off, restricted,
            object_key, object_version, size, digest)
        SELECT of, call.call, who.desk, call.person, call.line, call.agent, r.opened_at, r.closed_at, coalesce(r.broke_off, false), r.restricted,
            known.object_key, coalesce(r.object_version, ''), known.size, known.digest
        FROM jsonb_to_record(told -> 'recording')
            AS r (opened_at timestamptz, closed_at timestamptz, broke_off boolean, restricted text, object_version text);
    INSERT INTO purposes (recording, purpose, basis, retention, expires_on, ends_at, stands, reason, reviewed_at, at_end,
            keep_reviewed, judge_by, judge_until)
        SELECT of, p.purpose, p.basis, p.retention, p.expires_on, p.ends_at, p.stands, p.reason, p.reviewed_at, p.at_end,
            p.keep_reviewed, p.judge_by, p.judge_until
        FROM jsonb_to_recordset(told -> 'purposes') AS p (purpose text, basis text, retention text, expires_on date,
            ends_at timestamptz, stands text, reason text, reviewed_at timestamptz, at_end text, keep_reviewed text,
            judge_by date, judge_until timestamptz);
    INSERT INTO segments SELECT of, s.segment, s.opened_at, s.purposes, s.chunks FROM jsonb_to_recordset(told -> 'segments')
        AS s (segment integer, opened_at timestamptz, purposes text[], chunks integer);
    INSERT INTO wraps SELECT of, w.segment, w.role, w.key_id, w.suite, decode(w.sealed, 'hex')
        FROM jsonb_to_recordset(told -> 'wraps') AS w (segment integer, role text, key_id text, suite text, sealed text);
    PERFORM wraps_checked(of);
    INSERT INTO holds (hold, recording, raised_for, at, provisional_until, confirm_by, confirmed_at, look_again)
        SELECT h.hold, of, h.raised_for, h.at, h.provisional_until, h.confirm_by, h.confirmed_at, h.look_again
        FROM jsonb_to_recordset(told -> 'holds') AS h (hold text, raised_for text, at timestamptz,
            provisional_until timestamptz, confirm_by timestamptz, confirmed_at timestamptz, look_again date);
    INSERT INTO hold_words (hold, person, raised_by, why) SELECT h.hold, who.person, h.raised_by, h.why
        FROM jsonb_to_recordset(told -> 'holds') AS h (hold text, raised_by text, why text);
    -- What is held opens for no training; what is restricted, for custody alone.
    DELETE FROM wraps w USING recordings r WHERE w.recording = of AND r.recording = of
        AND ((r.held AND w.role = 'training') OR (r.restricted IS NOT NULL AND w.role <> 'custody'));
    DELETE FROM uploads u WHERE u.recording = of;
    PERFORM note('recording_arrived', 'G10', call.call::text, of, jsonb_build_object(
        'digest', encode(known.digest, 'hex'), 'late', extract(epoch FROM statement_timestamp() - (told #>> '{recording,closed_at}')::timestamptz)));
    PERFORM note('hold_placed', CASE h.raised_for WHEN 'access' THEN 'G08' ELSE 'G10' END, call.call::text, of,
        jsonb_build_object('hold', h.hold, 'by', h.raised_for)) FROM holds h WHERE h.recording = of;
    PERFORM apply_known(of);
    PERFORM stones_meet(of);
    IF NOT EXISTS (SELECT FROM recordings r WHERE r.recording = of)
        OR erase_unless_kept(of, 'past_its_date') THEN
        out := 'erased';
    END IF;
    RETURN QUERY SELECT out, h.number, h.hash FROM service_head() h;
END $$;

-- Storage does not have that version of it. False: by now another counts, or it is gone here too.
CREATE FUNCTION object_missing(of uuid, of_version text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
BEGIN
    UPDATE recordings r SET missing_at = statement_timestamp()
        WHERE r.recording = of AND r.object_version = of_version AND r.missing_at IS NULL RETURNING * INTO row;
    IF row.recording IS NOT NULL THEN
        PERFORM note('object_missing', 'G10', row.call::text, of, '{}');
    END IF;
    RETURN EXISTS (SELECT FROM recordings r WHERE r.recording = of AND r.object_version = of_version);
END $$;

-- What storage had lost, its desk has sent once more: the same bytes. All else of it stands as it is.
CREATE FUNCTION object_again(of recordings, at_key text, at_version text) RETURNS void
    LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
BEGIN
    IF of.missing_at IS NULL OR NOT EXISTS (SELECT FROM uploads u WHERE u.recording = of.recording AND u.object_key = at_key
            AND u.desk = of.desk AND u.digest = of.digest AND u.size = of.size) THEN
        RETURN;
    END IF;
    INSERT INTO uploads_ended (object_key, upload) VALUES (of.object_key, '') ON CONFLICT DO NOTHING;
    UPDATE recordings SET object_key = at_key, object_version = at_version, missing_at = NULL WHERE recording = of.recording;
    INSERT INTO legal_holds_due (recording) SELECT of.recording WHERE of.held ON CONFLICT DO NOTHING;
    DELETE FROM uploads WHERE recording = of.recording;
    PERFORM note('object_again', 'G10', of.call::text, of.recording, '{}');
END $$;

-- What was taken back or asked for before it arrived, what was refused before it began, and what custody has upheld for its number. What
-- was said before the call ends neither what it said yes to nor what the law obliges to
-- record (`softphone.domain.session.refusal.refused_before`).
CREATE FUNCTION apply_known(of uuid) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    call calls;
    hash bytea;
    one record;
    asked withdrawals;
BEGIN
    SELECT c.* INTO call FROM calls c JOIN recordings r USING (call) WHERE r.recording = of;
    SELECT n.number_hash INTO hash FROM call_numbers n WHERE n.call = call.call;
    FOR one IN
        SELECT its.ends, 'taken_back' AS how, w.reason AS why FROM withdrawals w, unnest(w.purposes) AS its (ends)
            WHERE w.of_right IS NULL AND (w.call IS NULL OR w.call = call.call) AND ((w.number_hash = hash AND call.started_at <= w.at) OR (w.call_group = call.call_group AND (
                    w.desk IS NULL OR w.desk = call.desk
                    OR (w.call IS NULL AND its.ends = ANY (of_the_party(of, w.purposes))))))
        UNION ALL
        SELECT p.purpose, CASE m.what WHEN 'upheld' THEN 'upheld' ELSE 'taken_back' END, 'declined_earlier'
            FROM remembered m, purposes p
            WHERE p.recording = of AND coalesce(p.basis, '') NOT IN ('consent', 'legal_obligation')
                AND m.number_hash = hash AND m.line IN ('', call.line) AND m.at <= call.started_at AND m.until > call.started_at
                AND CASE m.what
                    WHEN 'upheld' THEN m.purpose IN ('', p.purpose)
                    WHEN 'refused' THEN p.purpose = coalesce(nullif(m.purpose, ''), 'training')
                    WHEN 'do_not_sample' THEN p.purpose = 'training'
                    ELSE false
                END
    LOOP
        PERFORM purposes_end(ARRAY [of], ARRAY [one.ends], one.how, one.why);
    END LOOP;
    -- What has been decided of it, or is a case from the call itself, is no case once more.
    FOR asked IN SELECT w.* FROM withdrawals w WHERE w.of_right IS NOT NULL
            AND (w.call_group = call.call_group OR (w.number_hash = hash AND call.started_at <= w.at)) ORDER BY w.at, w.withdrawal LOOP
        PERFORM right_meets(of, asked, false);
    END LOOP;
END $$;

-- Each segment is sealed for custody, for none but what it was recorded for, and for keys that a policy has named.
CREATE FUNCTION wraps_checked(of uuid) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM segments s WHERE s.recording = of AND NOT EXISTS (
            SELECT FROM wraps w WHERE w.recording = of AND w.segment = s.segment AND w.role = 'custody')) THEN
        RAISE EXCEPTION 'not sealed for custody' USING ERRCODE = 'KT422';
    END IF;
    IF EXISTS (SELECT FROM wraps w JOIN segments s USING (recording, segment)
            WHERE w.recording = of AND w.role <> 'custody' AND NOT w.role = ANY (s.purposes)) THEN
        RAISE EXCEPTION 'sealed for what it was not recorded for' USING ERRCODE = 'KT422';
    END IF;
    IF EXISTS (SELECT FROM wraps w WHERE w.recording = of AND NOT EXISTS (
            SELECT FROM policy_keys k WHERE k.role = w.role AND k.key_id = w.key_id)) THEN
        RAISE EXCEPTION 'sealed for a key that no policy names' USING ERRCODE = 'KT422';
    END IF;
END $$;

CREATE FUNCTION receipt_keep(of uuid, of_receipt text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
BEGIN
    INSERT INTO receipts (recording, digest, receipt)
        SELECT recording, digest, of_receipt FROM recordings WHERE recording = of AND desk = who.desk
        ON CONFLICT (recording) DO NOTHING;
END $$;

-- How and why purposes of one's own desk's recording have ended here: the copy at the desk is opened for them no more.
CREATE FUNCTION purposes_ended(of uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(p.purpose, jsonb_build_array(p.stands, coalesce(p.reason, ''))), '{}')
        FROM purposes p JOIN recordings r USING (recording)
        WHERE r.recording = of AND r.desk = my_desk() AND p.stands <> 'keeps'
$$;
