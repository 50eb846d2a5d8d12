-- As before; and what a case or a hold leaves to custody alone is shared with nobody meanwhile.
CREATE OR REPLACE FUNCTION shared_with_me(of uuid) RETURNS SETOF recordings
    LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT r.* FROM reviews v JOIN recordings r USING (recording)
        WHERE v.shared AND (of IS NULL OR v.recording = of) AND r.agent = ANY ((SELECT my_agents())::text[]) AND lives_for(r, 'training')
            AND r.restricted IS NULL
$$;

CREATE OR REPLACE FUNCTION comment_put(of_comment uuid, of uuid, at_sample integer, of_answers uuid, seals jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('lead', 'agent');
    row recordings;
BEGIN
    SELECT r.* INTO row FROM recordings r WHERE r.recording = of FOR UPDATE;
    IF row.recording IS NULL OR NOT (i_review(row) OR (row.agent = ANY (my_agents()) AND lives_for(row, 'training') AND row.restricted IS NULL
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
