GRANT SELECT, INSERT ON signed_heads, restores TO klartone_rules;
GRANT SELECT, INSERT, UPDATE, DELETE ON head_marks, countersigned, legal_holds_due, stones, comparing TO klartone_rules;
GRANT SELECT ON signed_heads TO klartone_service;

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY ['signed_heads', 'head_marks', 'countersigned', 'restores', 'legal_holds_due', 'stones', 'comparing'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY rules ON %I TO klartone_rules USING (true) WITH CHECK (true)', one);
    END LOOP;
END $$;
-- Each desk keeps the newest that it saw.
CREATE POLICY seen ON signed_heads FOR SELECT TO klartone_service USING ((SELECT my_person()) IS NOT NULL);
