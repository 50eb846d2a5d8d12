GRANT SELECT, INSERT ON house_settings, notice_files, policy_notices TO klartone_rules;
GRANT SELECT, INSERT, UPDATE, DELETE ON desk_accounts TO klartone_rules;

DO $$
DECLARE
    one regclass;
BEGIN
    FOREACH one IN ARRAY ARRAY ['house_settings', 'notice_files', 'policy_notices', 'desk_accounts']::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY rules ON %s TO klartone_rules USING (true) WITH CHECK (true)', one);
    END LOOP;
END $$;

-- Whoever has signed in is set up by these. Accounts are read through functions: nobody else's, and no password.
GRANT SELECT ON house_settings, notice_files, policy_notices TO klartone_service;
CREATE POLICY seen ON house_settings FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
CREATE POLICY seen ON notice_files FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
CREATE POLICY seen ON policy_notices FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
