-- Who may see which row, and who may call what. Nobody but `klartone_rules`, whose functions have the rule in them, writes.

-- What changes all that there is: for functions, and for nobody who signs in.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA klartone TO klartone_rules;
REVOKE UPDATE, DELETE ON audit, heads FROM klartone_rules;
REVOKE DELETE ON tombstones, policies, policy_keys, policy_teams, people, desks FROM klartone_rules;

DO $$
DECLARE
    one regclass;
BEGIN
    FOR one IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'klartone'::regnamespace AND c.relkind IN ('r', 'p')
            AND c.relname <> 'alembic_version' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY rules ON %s TO klartone_rules USING (true) WITH CHECK (true)', one);
    END LOOP;
END $$;

-- A table that is not here, no login reads: sessions, codes, proofs, key_challenges, call_numbers, wraps_aside, remembered, withdrawals, tombstones,
-- uploads_ended.
GRANT SELECT ON people, person_keys, desks, policies, policy_keys, policy_teams, calls, call_number_seals, recordings, purposes,
    segments, wraps, holds, hold_words, audit, heads, uploads, upload_parts, receipts TO klartone_service;

CREATE POLICY seen ON people FOR SELECT TO klartone_service
    USING (person = (SELECT my_person()) OR (SELECT i_am('it')));
CREATE POLICY seen ON person_keys FOR SELECT TO klartone_service USING (person = (SELECT my_person()));
CREATE POLICY seen ON desks FOR SELECT TO klartone_service
    USING (desk = (SELECT my_desk()) OR (SELECT i_am('it')));
-- Whoever has signed in reads the policy: it is what all of them work under.
CREATE POLICY seen ON policies FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
CREATE POLICY seen ON policy_keys FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
CREATE POLICY seen ON policy_teams FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);

-- As `softphone.domain.archive.permission.search_scope_of` has it; a test compares the two.
CREATE POLICY seen ON recordings FOR SELECT TO klartone_service USING (
    (agent = ANY ((SELECT my_agents())::text[]) AND opened_at >= (SELECT own_since()))
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
    USING (person = (SELECT my_person()) OR (SELECT i_find_all()));

-- For one's own keys alone, and while the role opens it.
CREATE POLICY seen ON wraps FOR SELECT TO klartone_service USING (
    role || ':' || key_id = ANY ((SELECT my_keys())::text[])
    AND EXISTS (SELECT FROM recordings r WHERE r.recording = wraps.recording AND lives_for(r, wraps.role)
        AND (wraps.role <> 'training' OR led(r.line, r.agent) && (SELECT my_led())))
);
CREATE POLICY seen ON call_number_seals FOR SELECT TO klartone_service USING (
    role || ':' || key_id = ANY ((SELECT my_keys())::text[])
    AND EXISTS (SELECT FROM recordings r WHERE r.call = call_number_seals.call AND lives_for(r, call_number_seals.role))
);

CREATE POLICY seen ON audit FOR SELECT TO klartone_service USING ((SELECT i_find_all()));
-- Each desk keeps the newest that it saw.
CREATE POLICY seen ON heads FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
CREATE POLICY seen ON uploads FOR SELECT TO klartone_service USING (desk = (SELECT my_desk()));
CREATE POLICY seen ON upload_parts FOR SELECT TO klartone_service
    USING (EXISTS (SELECT FROM uploads u WHERE u.recording = upload_parts.recording));
CREATE POLICY seen ON receipts FOR SELECT TO klartone_service
    USING (EXISTS (SELECT FROM recordings r WHERE r.recording = receipts.recording AND r.desk = (SELECT my_desk())));
