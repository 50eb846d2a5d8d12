-- What a lead does with the living training sample of an own team, and what the call's agent answers.

-- Who asks may review it: they lead its team, and it lives for a key of theirs.
CREATE FUNCTION i_review(r recordings) RETURNS boolean LANGUAGE sql STABLE
    RETURN r.opened_by && my_keys('training') AND lives_for(r, 'training') AND i_lead(r.line, r.agent);

-- The recording, which nobody else changes meanwhile; or KT404, whatever the reason.
CREATE FUNCTION need_review(of uuid) RETURNS recordings LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
BEGIN
    PERFORM need('lead');
    SELECT r.* INTO row FROM recordings r WHERE r.recording = of FOR UPDATE;
    IF row.recording IS NULL OR NOT i_review(row) THEN
        RAISE EXCEPTION 'not in the sample' USING ERRCODE = 'KT404';
    END IF;
    RETURN row;
END $$;

-- To be called again while it is open. Returns the others who have it open.
CREATE FUNCTION review_open(of uuid) RETURNS TABLE (person uuid, since timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    row recordings := need_review(of);
    me uuid := my_person();
BEGIN
    UPDATE review_openings o SET seen_at = statement_timestamp() WHERE o.recording = of AND o.person = me;
    IF NOT FOUND THEN
        INSERT INTO review_openings (recording, person) VALUES (of, me);
        PERFORM note('recording_opened', 'G11', row.call::text, of, jsonb_build_object('role', 'training'));
    END IF;
    RETURN QUERY SELECT o.person, o.since FROM review_openings o
        WHERE o.recording = of AND o.person <> me AND o.seen_at > statement_timestamp() - interval '2 minutes' ORDER BY o.since;
END $$;

CREATE FUNCTION review_close(of uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('lead');
BEGIN
    DELETE FROM review_openings WHERE recording = of AND person = who.person;
END $$;

-- By a lead; or by the call's agent, as an answer in a review that is shared. `seals`: [{role, key_id, suite, sealed}].
CREATE FUNCTION comment_put(of_comment uuid, of uuid, at_sample integer, of_answers uuid, seals jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('lead', 'agent');
    row recordings;
BEGIN
    SELECT r.* INTO row FROM recordings r WHERE r.recording = of FOR UPDATE;
    IF row.recording IS NULL OR NOT (i_review(row) OR (i_made(row.person, row.agent, row.opened_at) AND lives_for(row, 'training') AND row.restricted IS NULL
            AND EXISTS (SELECT FROM reviews v WHERE v.recording = of AND v.shared) AND of_answers IS NOT NULL)) THEN
        RAISE EXCEPTION 'not in the sample' USING ERRCODE = 'KT404';
    END IF;
    IF of_answers IS NOT NULL AND NOT EXISTS (SELECT FROM review_comments c WHERE c.comment = of_answers AND c.recording = of) THEN
        RAISE EXCEPTION 'no such comment' USING ERRCODE = 'KT404';
    END IF;
    IF EXISTS (SELECT FROM review_comments c WHERE c.comment = of_comment AND (c.recording <> of OR c.person <> who.person)) THEN
        RAISE EXCEPTION 'another comment' USING ERRCODE = 'KT409';
    END IF;
    IF NOT EXISTS (SELECT FROM jsonb_to_recordset(seals) AS s (role text) WHERE s.role = 'training')
        OR EXISTS (SELECT FROM jsonb_to_recordset(seals) AS s (role text, key_id text) WHERE s.role = 'training' AND NOT EXISTS (
            SELECT FROM policy_keys k WHERE k.number = newest_policy() AND k.role = 'training' AND k.key_id = s.key_id)) THEN
        RAISE EXCEPTION 'not sealed for training' USING ERRCODE = 'KT422';
    END IF;
    INSERT INTO review_comments (comment, recording, sample, answers, person)
        VALUES (of_comment, of, at_sample, of_answers, who.person) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        INSERT INTO comment_seals SELECT of_comment, s.role, s.key_id, s.suite, decode(s.sealed, 'hex')
            FROM jsonb_to_recordset(seals) AS s (role text, key_id text, suite text, sealed text);
        PERFORM note('review_commented', 'G11', row.call::text, of, '{}');
    END IF;
END $$;

-- One's own, with what answers it.
CREATE FUNCTION comment_remove(of_comment uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('lead', 'agent');
    one uuid;
BEGIN
    DELETE FROM review_comments WHERE comment = of_comment AND person = who.person AND at >= mine_since() RETURNING recording INTO one;
    IF one IS NULL THEN
        RETURN false;
    END IF;
    PERFORM note('review_comment_removed', 'G11', '', one, '{}');
    RETURN true;
END $$;

-- `seen`: the version that they saw, 0 for none. Somebody else was faster: KT409, and nothing is lost. Returns the new version.
CREATE FUNCTION score_put(of uuid, of_item text, of_points integer, seen bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings := need_review(of);
    now_at bigint := coalesce((SELECT s.version FROM review_scores s WHERE s.recording = of AND s.item = of_item), 0);
BEGIN
    IF now_at <> seen THEN
        RAISE EXCEPTION 'somebody was faster' USING ERRCODE = 'KT409';
    END IF;
    INSERT INTO review_scores (recording, item, points, version, person) VALUES (of, of_item, of_points, 1, my_person())
        ON CONFLICT (recording, item) DO UPDATE SET points = excluded.points, version = review_scores.version + 1,
            at = statement_timestamp(), person = excluded.person;
    PERFORM note('review_scored', 'G11', row.call::text, of, '{}');
    RETURN now_at + 1;
END $$;

CREATE FUNCTION review_share(of uuid, to_agent boolean, seen bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings := need_review(of);
    now_at bigint := coalesce((SELECT v.version FROM reviews v WHERE v.recording = of), 0);
BEGIN
    IF now_at <> seen THEN
        RAISE EXCEPTION 'somebody was faster' USING ERRCODE = 'KT409';
    END IF;
    INSERT INTO reviews (recording, shared, person) VALUES (of, to_agent, my_person())
        ON CONFLICT (recording) DO UPDATE SET shared = excluded.shared, version = reviews.version + 1,
            at = statement_timestamp(), person = excluded.person;
    PERFORM note(CASE WHEN to_agent THEN 'review_shared' ELSE 'review_unshared' END, 'G11', row.call::text, of, '{}');
    RETURN now_at + 1;
END $$;

-- In the transaction of `review_share`. None: it is shared no longer, or by a desk that does not vouch yet.
CREATE FUNCTION review_vouch(of uuid, said text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need_review(of);
    UPDATE reviews v SET vouched = CASE WHEN v.shared THEN said END WHERE v.recording = of;
END $$;

-- It has been used to train: training ends now, or on a day that the domain says and never later than on its own. Of several
-- leads the first counts. Returns when it was reviewed before.
CREATE FUNCTION review_mark(of uuid, heard integer, by_day date, until timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings := need_review(of);
    before timestamptz := (SELECT p.reviewed_at FROM purposes p WHERE p.recording = of AND p.purpose = 'training');
BEGIN
    IF before IS NOT NULL THEN
        RETURN before;
    END IF;
    PERFORM note('recording_reviewed', 'G33', row.call::text, of, jsonb_build_object('heard', heard, 'line', row.line));
    UPDATE purposes p SET reviewed_at = statement_timestamp(),
            expires_on = CASE WHEN until < coalesce(p.ends_at, 'infinity') THEN by_day ELSE p.expires_on END,
            ends_at = CASE WHEN until < coalesce(p.ends_at, 'infinity') THEN until ELSE p.ends_at END
        WHERE p.recording = of AND p.purpose = 'training';
    IF until IS NULL THEN
        PERFORM purposes_end(ARRAY [of], ARRAY ['training'], 'expired', 'reviewed');
        PERFORM note('training_used', 'G38', row.call::text, of, '{}');
        PERFORM erase_unless_kept(of, 'reviewed');
    END IF;
    RETURN NULL;
END $$;
