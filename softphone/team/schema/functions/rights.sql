-- Who may see which row, and who may write. Nobody but `klartone_rules`, whose functions have the rule in them, writes.

REVOKE ALL ON ALL TABLES IN SCHEMA klartone
    FROM PUBLIC, klartone_rules, klartone_service, klartone_signin, klartone_sweeper, klartone_migrator;

-- What changes all that there is: for functions, and for nobody who signs in.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA klartone TO klartone_rules;
REVOKE UPDATE ON audit FROM klartone_rules;
REVOKE UPDATE, DELETE ON signed_heads, restores, policy_terms, notice_files, policy_notices, house_settings FROM klartone_rules;
REVOKE DELETE ON tombstones, policies, policy_keys, policy_teams, people, desks, desk_rates, log_begins, compared
    FROM klartone_rules;

DO $$
DECLARE
    one regclass;
BEGIN
    FOR one IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'klartone'::regnamespace AND c.relkind IN ('r', 'p')
            AND c.relname <> 'alembic_version' AND NOT (c.relrowsecurity AND c.relforcerowsecurity) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', one);
    END LOOP;
    FOR one IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'klartone'::regnamespace AND c.relrowsecurity
            AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'rules') LOOP
        EXECUTE format('CREATE POLICY rules ON %s TO klartone_rules USING (true) WITH CHECK (true)', one);
    END LOOP;
END $$;

-- A table that is not here, no login reads: functions tell of it what a rule gives.
GRANT SELECT ON people, person_keys, desks, policies, policy_keys, policy_teams, house_settings, notice_files, policy_notices,
    calls, call_number_seals, recordings, purposes, segments, wraps, holds, hold_words, uploads, upload_parts, receipts,
    cases, reviews, review_scores, review_comments, comment_seals, review_openings,
    audit, signed_heads TO klartone_service;

CREATE POLICY seen ON people FOR SELECT TO klartone_service
    USING (person = (SELECT my_person()) OR (SELECT i_am('it')) OR (SELECT i_find_all())); -- the log has ids of people
CREATE POLICY seen ON person_keys FOR SELECT TO klartone_service USING (person = (SELECT my_person()));
CREATE POLICY seen ON desks FOR SELECT TO klartone_service
    USING (desk = (SELECT my_desk()) OR (SELECT i_am('it')) OR (SELECT i_find_all())); -- the log has ids of desks
-- Whoever has signed in reads the policy: it is what all of them work under.
CREATE POLICY seen ON policies FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
CREATE POLICY seen ON policy_keys FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
CREATE POLICY seen ON policy_teams FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
-- Whoever has signed in is set up by these. Accounts are read through functions: nobody else's, and no password.
CREATE POLICY seen ON house_settings FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
CREATE POLICY seen ON notice_files FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
CREATE POLICY seen ON policy_notices FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);

-- As `softphone.domain.archive.permission.search_scope_of` has it; a test compares the two.
CREATE POLICY seen ON recordings FOR SELECT TO klartone_service USING (
    (person = (SELECT my_person()) AND agent = ANY ((SELECT my_agents())::text[]) AND opened_at >= (SELECT own_since()))
    OR (SELECT i_find_all())
    -- Custody by a key that the newest policy does not name any more sees what is sealed for it.
    OR opened_by && (SELECT my_keys('custody'))
    OR (opened_by && (SELECT my_keys('documentation')) AND lives_for(recordings, 'documentation'))
    OR (opened_by && (SELECT my_keys('training')) AND lives_for(recordings, 'training')
        AND led(line, agent) && (SELECT my_led()))
);
CREATE POLICY seen ON calls FOR SELECT TO klartone_service
    USING (EXISTS (SELECT FROM recordings r WHERE r.call = calls.call));
CREATE POLICY seen ON purposes FOR SELECT TO klartone_service
    USING (EXISTS (SELECT FROM recordings r WHERE r.recording = purposes.recording));
CREATE POLICY seen ON segments FOR SELECT TO klartone_service
    USING (EXISTS (SELECT FROM recordings r WHERE r.recording = segments.recording));
CREATE POLICY seen ON holds FOR SELECT TO klartone_service
    USING (EXISTS (SELECT FROM recordings r WHERE r.recording = holds.recording));
CREATE POLICY seen ON hold_words FOR SELECT TO klartone_service
    USING ((SELECT i_find_all()) OR (person = (SELECT my_person()) AND EXISTS (SELECT FROM holds h WHERE h.hold = hold_words.hold
        AND h.placed_at >= (SELECT mine_since()))));

-- For one's own training keys, and while that opens it. Data keys for documentation and for a case are handed out by
-- `recording_open` alone, which logs reason and case: no service that was taken reads them past the log.
CREATE POLICY seen ON wraps FOR SELECT TO klartone_service USING (
    role = 'training' AND role || ':' || key_id = ANY ((SELECT my_keys('training'))::text[])
    AND EXISTS (SELECT FROM recordings r WHERE r.recording = wraps.recording AND lives_for(r, wraps.role)
        AND led(r.line, r.agent) && (SELECT my_led()))
);

-- For one's own keys alone, and while the role opens it.
CREATE POLICY seen ON call_number_seals FOR SELECT TO klartone_service USING (
    role || ':' || key_id = ANY ((SELECT my_keys())::text[])
    AND EXISTS (SELECT FROM recordings r WHERE r.call = call_number_seals.call AND lives_for(r, call_number_seals.role))
);

CREATE POLICY seen ON uploads FOR SELECT TO klartone_service USING (desk = (SELECT my_desk()));
CREATE POLICY seen ON upload_parts FOR SELECT TO klartone_service
    USING (EXISTS (SELECT FROM uploads u WHERE u.recording = upload_parts.recording));
CREATE POLICY seen ON receipts FOR SELECT TO klartone_service
    USING (EXISTS (SELECT FROM recordings r WHERE r.recording = receipts.recording AND r.desk = (SELECT my_desk())));

CREATE POLICY seen ON cases FOR SELECT TO klartone_service
    USING ((SELECT i_find_all()) OR (SELECT i_am('case_handler'))
        OR (received_by = (SELECT my_person()) AND received_at >= (SELECT mine_since())));

-- Its leads; and the call's agent, once it is shared, while nothing restricts it.
CREATE POLICY seen ON reviews FOR SELECT TO klartone_service USING (
    EXISTS (SELECT FROM recordings r WHERE r.recording = reviews.recording
        AND lives_for(r, 'training') AND (
            (r.opened_by && (SELECT my_keys('training')) AND led(r.line, r.agent) && (SELECT my_led()))
            OR (reviews.shared AND r.restricted IS NULL AND r.person = (SELECT my_person())
                AND r.agent = ANY ((SELECT my_agents())::text[]) AND r.opened_at >= (SELECT mine_since()))
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

-- Data protection, all of it. IT, what looks after the house and says nothing of a call.
CREATE POLICY seen ON audit FOR SELECT TO klartone_service USING (
    (SELECT i_find_all())
    OR ((SELECT i_am('it')) AND chain = 'service' AND call = '' AND recording IS NULL AND event = ANY ((SELECT events_of_it())::text[]))
);
-- Each desk keeps the newest that it saw.
CREATE POLICY seen ON signed_heads FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);

-- Whatever a function does: no entry goes that is younger than a year (`softphone.domain.policy.checks.LEAST_AUDIT_RETENTION`).
CREATE POLICY kept ON audit AS RESTRICTIVE FOR DELETE USING (at <= statement_timestamp() - interval '1 year');
