GRANT SELECT, INSERT, UPDATE ON cases, case_concerns, case_recordings TO klartone_rules;
GRANT SELECT ON cases, case_concerns, case_recordings, cases_due TO klartone_service;

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY ['cases', 'case_concerns', 'case_recordings'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY rules ON %I TO klartone_rules USING (true) WITH CHECK (true)', one);
    END LOOP;
END $$;

CREATE POLICY seen ON cases FOR SELECT TO klartone_service
    USING ((SELECT i_find_all()) OR (SELECT i_am('case_handler')) OR received_by = (SELECT my_person()));
CREATE POLICY seen ON case_recordings FOR SELECT TO klartone_service
    USING (EXISTS (SELECT FROM cases c WHERE c.number = case_recordings.number));
CREATE POLICY seen ON case_concerns FOR SELECT TO klartone_service USING ('custody:' || key_id = ANY ((SELECT my_keys('custody'))::text[]));
