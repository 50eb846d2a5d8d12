-- One call under review, as its leads read it and as it is shared with its agent.

-- As `need_review`, for reading: nobody waits for it.
CREATE FUNCTION see_review(of uuid) RETURNS recordings LANGUAGE plpgsql STABLE SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
BEGIN
    PERFORM need('lead');
    SELECT r.* INTO row FROM recordings r WHERE r.recording = of;
    IF row.recording IS NULL OR NOT i_review(row) THEN
        RAISE EXCEPTION 'not in the sample' USING ERRCODE = 'KT404';
    END IF;
    RETURN row;
END $$;

-- By which keys somebody is known to the policy: it says who has them.
CREATE FUNCTION training_keys_of(of_person uuid) RETURNS jsonb LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT coalesce(jsonb_agg(k.key_id ORDER BY k.key_id), '[]') FROM person_keys k
        JOIN policy_keys p ON p.number = newest_policy() AND p.role = k.role AND p.key_id = k.key_id
        WHERE k.person = of_person AND k.role = 'training'
$$;

-- Comments in the call's order, each with what is sealed for whoever asks.
CREATE FUNCTION comments_for(r recordings, for_role text, for_keys text[]) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'comment', c.comment, 'sample', c.sample, 'answers', c.answers, 'at', c.at,
        'mine', c.person = my_person(),
        -- Whoever had the call, at whichever desk of theirs.
        'of_agent', coalesce(c.person = r.person, false),
        'keys', training_keys_of(c.person),
        'seal', (SELECT jsonb_build_object('key_id', s.key_id, 'suite', s.suite, 'sealed', b64(s.sealed))
            FROM comment_seals s WHERE s.comment = c.comment AND s.role = for_role AND s.key_id = ANY (for_keys) LIMIT 1)
    ) ORDER BY c.sample, c.at, c.comment), '[]') FROM review_comments c WHERE c.recording = r.recording
$$;

CREATE FUNCTION scores_of(of uuid) RETURNS jsonb LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('item', s.item, 'points', s.points, 'version', s.version,
        'mine', s.person = my_person(), 'keys', training_keys_of(s.person)) ORDER BY s.item), '[]')
    FROM review_scores s WHERE s.recording = of
$$;

-- Changes with whatever a lead would see of it change.
CREATE FUNCTION review_tag(of uuid) RETURNS text LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT md5(concat_ws(' ',
        (SELECT string_agg(c.comment::text, ' ' ORDER BY c.comment) FROM review_comments c WHERE c.recording = of),
        (SELECT string_agg(s.item || s.version, ' ' ORDER BY s.item) FROM review_scores s WHERE s.recording = of),
        (SELECT v.version FROM reviews v WHERE v.recording = of),
        (SELECT p.reviewed_at FROM purposes p WHERE p.recording = of AND p.purpose = 'training'),
        (SELECT string_agg(o.person::text, ' ' ORDER BY o.person) FROM review_openings o WHERE o.recording = of
            AND o.person <> my_person() AND o.seen_at > statement_timestamp() - interval '2 minutes')))
$$;

-- Whether its agent could read it at this desk: whoever made the call has signed in there, with its address.
CREATE FUNCTION is_its_agents(of_desk uuid, r recordings) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT EXISTS (SELECT FROM desks d JOIN people p USING (person) JOIN sessions s USING (desk) WHERE d.desk = of_desk
        AND d.person = r.person AND d.revoked_at IS NULL AND p.left_at IS NULL AND r.opened_at >= coalesce(p.returned_at, '-infinity')
        AND s.ended_at IS NULL AND s.refresh_until > statement_timestamp() AND 'agent' = ANY (s.roles) AND r.agent = ANY (s.agents))
$$;

-- All of it at one moment. `desks`: where its agent could read it, and whether it is sealed for them.
CREATE FUNCTION review_read(of uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings := see_review(of);
    keys text[] := ARRAY (SELECT split_part(one, ':', 2) FROM unnest(my_keys('training')) AS one);
BEGIN
    RETURN jsonb_build_object(
        'shared', coalesce((SELECT v.shared FROM reviews v WHERE v.recording = of), false),
        'version', coalesce((SELECT v.version FROM reviews v WHERE v.recording = of), 0),
        'reviewed_at', (SELECT p.reviewed_at FROM purposes p WHERE p.recording = of AND p.purpose = 'training'),
        'scores', scores_of(of),
        'comments', comments_for(row, 'training', keys),
        'others', (SELECT coalesce(jsonb_agg(jsonb_build_object('since', o.since, 'keys', training_keys_of(o.person))
                ORDER BY o.since), '[]') FROM review_openings o
            WHERE o.recording = of AND o.person <> my_person() AND o.seen_at > statement_timestamp() - interval '2 minutes'),
        'desks', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'desk', d.desk, 'thumbprint', d.thumbprint, 'signer', b64(d.public_key),
                'public_key', b64(k.public_key), 'signature', b64(k.signature),
                'sealed', EXISTS (SELECT FROM review_wraps w WHERE w.recording = of AND w.desk = d.desk)
                    AND NOT EXISTS (SELECT FROM review_comments c WHERE c.recording = of AND NOT EXISTS (
                        SELECT FROM comment_seals s WHERE s.comment = c.comment AND s.role = 'agent' AND s.key_id = d.thumbprint))
                ) ORDER BY d.desk), '[]')
            FROM desks d JOIN reading_keys k USING (desk) WHERE is_its_agents(d.desk, row)),
        'tag', review_tag(of));
END $$;

-- Whether it may still be heard by a lead who has it open, and its tag. It keeps the opening alive. None: no more.
CREATE FUNCTION review_still(of uuid) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('lead');
BEGIN
    IF NOT EXISTS (SELECT FROM recordings r WHERE r.recording = of AND i_review(r)) THEN
        RETURN NULL;
    END IF;
    UPDATE review_openings o SET seen_at = statement_timestamp() WHERE o.recording = of AND o.person = who.person
        AND o.seen_at < statement_timestamp() - interval '30 seconds';
    RETURN review_tag(of);
END $$;

-- When somebody of an own team reviewed it, also where it is no longer used for training.
CREATE FUNCTION review_marked(of uuid) RETURNS TABLE (reviewed_at timestamptz, time_zone text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need('lead');
    RETURN QUERY SELECT p.reviewed_at, c.time_zone FROM purposes p JOIN recordings r USING (recording) JOIN calls c USING (call)
        WHERE r.recording = of AND p.purpose = 'training' AND p.reviewed_at IS NOT NULL AND i_lead(r.line, r.agent);
END $$;

-- What the domain needs to say until when a reviewed one is kept.
CREATE FUNCTION review_terms(of uuid) RETURNS TABLE (keep_reviewed text, time_zone text, reviewed_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM see_review(of);
    RETURN QUERY SELECT p.keep_reviewed, c.time_zone, p.reviewed_at FROM recordings r JOIN calls c USING (call)
        JOIN purposes p ON p.recording = r.recording AND p.purpose = 'training' WHERE r.recording = of;
END $$;

-- Another key: what was sealed for the one before is of no use any more.
CREATE FUNCTION reading_key_put(of_key bytea, of_signature bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
BEGIN
    IF EXISTS (SELECT FROM reading_keys k WHERE k.desk = who.desk AND k.public_key = of_key) THEN
        RETURN;
    END IF;
    DELETE FROM review_wraps w WHERE w.desk = who.desk;
    DELETE FROM comment_seals s USING desks d WHERE d.desk = who.desk AND s.role = 'agent' AND s.key_id = d.thumbprint;
    INSERT INTO reading_keys (desk, public_key, signature) VALUES (who.desk, of_key, of_signature)
        ON CONFLICT (desk) DO UPDATE SET public_key = excluded.public_key, signature = excluded.signature,
            at = statement_timestamp();
    PERFORM note('reading_key_made', 'L3', '', NULL, jsonb_build_object('key', left(encode(sha256(of_key), 'hex'), 16)));
END $$;

-- What a lead has sealed for desks of the call's agent, while it is shared. `wraps`: [{segment, desk, suite, sealed}],
-- `seals`: [{comment, desk, suite, sealed}]. Again, it adds what is missing.
CREATE FUNCTION review_seal(of uuid, wraps jsonb, seals jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings := need_review(of);
    known bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM reviews v WHERE v.recording = of AND v.shared) THEN
        RAISE EXCEPTION 'not shared' USING ERRCODE = 'KT409';
    END IF;
    IF EXISTS (SELECT FROM jsonb_to_recordset(wraps || seals) AS w (desk uuid) WHERE NOT EXISTS (
            SELECT FROM reading_keys k WHERE k.desk = w.desk AND is_its_agents(w.desk, row)))
        OR EXISTS (SELECT FROM jsonb_to_recordset(wraps) AS w (segment integer) WHERE NOT EXISTS (
            SELECT FROM segments s WHERE s.recording = of AND s.segment = w.segment AND 'training' = ANY (s.purposes))) THEN
        RAISE EXCEPTION 'not a desk of its agent' USING ERRCODE = 'KT422';
    END IF;
    INSERT INTO review_wraps (recording, segment, desk, suite, sealed)
        SELECT of, w.segment, w.desk, w.suite, decode(w.sealed, 'base64')
        FROM jsonb_to_recordset(wraps) AS w (segment integer, desk uuid, suite text, sealed text) ON CONFLICT DO NOTHING;
    INSERT INTO comment_seals (comment, role, key_id, suite, sealed)
        SELECT c.comment, 'agent', d.thumbprint, s.suite, decode(s.sealed, 'base64')
        FROM jsonb_to_recordset(seals) AS s (comment uuid, desk uuid, suite text, sealed text)
            JOIN review_comments c ON c.comment = s.comment AND c.recording = of JOIN desks d USING (desk) ON CONFLICT DO NOTHING;
    SELECT count(DISTINCT w.desk) INTO known FROM review_wraps w WHERE w.recording = of;
    PERFORM note('review_sealed', 'L3', row.call::text, of, jsonb_build_object('desks', known));
END $$;

-- No longer shared: what was sealed for the agent goes.
CREATE FUNCTION unshared() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF NOT NEW.shared THEN
        DELETE FROM review_wraps w WHERE w.recording = NEW.recording;
        DELETE FROM comment_seals s USING review_comments c
            WHERE c.recording = NEW.recording AND s.comment = c.comment AND s.role = 'agent';
    END IF;
    RETURN NULL;
END $$;

-- A hold, or training's end, takes the keys of its leads: those of its agent go with them.
CREATE FUNCTION unwrapped() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    DELETE FROM review_wraps v WHERE v.recording IN (SELECT g.recording FROM gone g WHERE g.role = 'training')
        AND NOT EXISTS (SELECT FROM wraps w WHERE w.recording = v.recording AND w.role = 'training');
    RETURN NULL;
END $$;

-- Own calls whose review is shared, for as long as they may be heard for training: a review comes late. What a case or a hold leaves
-- to custody alone is shared with nobody meanwhile.
CREATE FUNCTION shared_with_me(of uuid) RETURNS SETOF recordings
    LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT r.* FROM reviews v JOIN recordings r USING (recording)
        WHERE v.shared AND (of IS NULL OR v.recording = of) AND r.person = (SELECT my_person())
            AND r.agent = ANY ((SELECT my_agents())::text[]) AND r.opened_at >= (SELECT mine_since())
            AND lives_for(r, 'training') AND r.restricted IS NULL
$$;

CREATE FUNCTION shared_reviews() RETURNS TABLE (
    recording uuid, agent text, line text, opened_at timestamptz, closed_at timestamptz, time_zone text, expires_on date,
    reviewed_at timestamptz, kept_reviewed boolean, comments bigint, shared_at timestamptz
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need('agent');
    RETURN QUERY SELECT r.recording, r.agent, r.line, r.opened_at, r.closed_at, c.time_zone, p.expires_on, p.reviewed_at,
            p.keep_reviewed IS NOT NULL, (SELECT count(*) FROM review_comments m WHERE m.recording = r.recording), v.at
        FROM shared_with_me(NULL) r JOIN reviews v ON v.recording = r.recording JOIN calls c ON c.call = r.call
            JOIN purposes p ON p.recording = r.recording AND p.purpose = 'training'
        ORDER BY r.opened_at DESC, r.recording DESC LIMIT 1000;
END $$;

-- KT404: it is not shared, or no more, or not theirs.
CREATE FUNCTION shared_read(of uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    row recordings;
BEGIN
    SELECT s.* INTO row FROM shared_with_me(of) s;
    IF row.recording IS NULL THEN
        RAISE EXCEPTION 'not shared' USING ERRCODE = 'KT404';
    END IF;
    RETURN jsonb_build_object(
        'scores', scores_of(of),
        'comments', comments_for(row, 'agent', ARRAY (SELECT d.thumbprint FROM desks d WHERE d.desk = who.desk)),
        'thumbprint', (SELECT d.thumbprint FROM desks d WHERE d.desk = who.desk),
        'tag', review_tag(of));
END $$;

-- To hear it. The log has it before the keys are handed out.
CREATE FUNCTION shared_open(of uuid) RETURNS TABLE (segment integer, suite text, sealed bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent');
    row recordings;
BEGIN
    SELECT s.* INTO row FROM shared_with_me(of) s;
    IF row.recording IS NULL THEN
        RAISE EXCEPTION 'not shared' USING ERRCODE = 'KT404';
    END IF;
    PERFORM note('recording_opened', 'L3', row.call::text, of, jsonb_build_object('role', 'agent'));
    RETURN QUERY SELECT w.segment, w.suite, w.sealed FROM review_wraps w
        WHERE w.recording = of AND w.desk = who.desk ORDER BY w.segment;
END $$;

-- Whether it may still be heard, by whom it is shared with or who leads it; and where it lies. None: no more.
CREATE FUNCTION shared_file(of uuid) RETURNS TABLE (object_key text, object_version text, size bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent');
BEGIN
    RETURN QUERY SELECT s.object_key, s.object_version, s.size FROM shared_with_me(of) s
        WHERE EXISTS (SELECT FROM review_wraps w WHERE w.recording = of AND w.desk = who.desk);
END $$;
