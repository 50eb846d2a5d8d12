-- Whoever changes one of these tables, its recordings are settled in the same statement.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY ['purposes', 'holds', 'wraps'] LOOP
        EXECUTE format('CREATE TRIGGER settled_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS changed '
            'FOR EACH STATEMENT EXECUTE FUNCTION settled()', one);
        EXECUTE format('CREATE TRIGGER settled_update AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed '
            'FOR EACH STATEMENT EXECUTE FUNCTION settled()', one);
        EXECUTE format('CREATE TRIGGER settled_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS changed '
            'FOR EACH STATEMENT EXECUTE FUNCTION settled()', one);
    END LOOP;
END $$;
-- Of one that is new, or that a case restricts or lets go.
CREATE TRIGGER settled_one AFTER INSERT OR UPDATE OF restricted ON recordings FOR EACH ROW EXECUTE FUNCTION settled_one();
