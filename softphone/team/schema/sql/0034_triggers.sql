-- One that is new keeps nothing and opens for nobody yet, which its row says by itself: its purposes and wraps settle it.
DROP TRIGGER settled_one ON recordings;
CREATE TRIGGER settled_one AFTER UPDATE OF restricted ON recordings FOR EACH ROW EXECUTE FUNCTION settled_one();
REVOKE EXECUTE ON FUNCTION settled_one() FROM klartone_owner;
