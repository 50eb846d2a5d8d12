GRANT SELECT, INSERT, UPDATE, DELETE ON reviews, review_scores, review_comments, comment_seals, review_openings TO klartone_rules;
GRANT SELECT ON reviews, review_scores, review_comments, comment_seals, review_openings TO klartone_service;

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY ['reviews', 'review_scores', 'review_comments', 'comment_seals', 'review_openings'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY rules ON %I TO klartone_rules USING (true) WITH CHECK (true)', one);
    END LOOP;
END $$;

-- Its leads; and the call's agent, once it is shared.
CREATE POLICY seen ON reviews FOR SELECT TO klartone_service USING (
    EXISTS (SELECT FROM recordings r WHERE r.recording = reviews.recording
        AND lives_for(r, 'training') AND (
            (r.opened_by && (SELECT my_keys('training')) AND led(r.line, r.agent) && (SELECT my_led()))
            OR (reviews.shared AND r.agent = ANY ((SELECT my_agents())::text[]))
        ))
);
CREATE POLICY seen ON review_scores FOR SELECT TO klartone_service USING (
    EXISTS (SELECT FROM recordings r WHERE r.recording = review_scores.recording AND r.opened_by && (SELECT my_keys('training'))
            AND lives_for(r, 'training') AND led(r.line, r.agent) && (SELECT my_led()))
    OR EXISTS (SELECT FROM reviews v WHERE v.recording = review_scores.recording)
);
CREATE POLICY seen ON review_comments FOR SELECT TO klartone_service USING (
    EXISTS (SELECT FROM recordings r WHERE r.recording = review_comments.recording AND r.opened_by && (SELECT my_keys('training'))
            AND lives_for(r, 'training') AND led(r.line, r.agent) && (SELECT my_led()))
    OR EXISTS (SELECT FROM reviews v WHERE v.recording = review_comments.recording)
);
CREATE POLICY seen ON comment_seals FOR SELECT TO klartone_service USING (
    EXISTS (SELECT FROM review_comments c WHERE c.comment = comment_seals.comment) AND CASE role
        WHEN 'training' THEN 'training:' || key_id = ANY ((SELECT my_keys('training'))::text[])
        ELSE key_id = (SELECT d.thumbprint FROM desks d WHERE d.desk = (SELECT my_desk()))
    END
);
CREATE POLICY seen ON review_openings FOR SELECT TO klartone_service USING (
    EXISTS (SELECT FROM recordings r WHERE r.recording = review_openings.recording AND r.opened_by && (SELECT my_keys('training'))
            AND lives_for(r, 'training') AND led(r.line, r.agent) && (SELECT my_led()))
);
