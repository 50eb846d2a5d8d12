CREATE TRIGGER dated BEFORE INSERT ON holds FOR EACH ROW WHEN (NEW.confirmed_at IS NULL) EXECUTE FUNCTION hold_dated();
CREATE TRIGGER named BEFORE INSERT ON hold_words FOR EACH ROW WHEN (NEW.person IS NOT NULL) EXECUTE FUNCTION raiser_named();
REVOKE EXECUTE ON FUNCTION hold_dated(), raiser_named() FROM klartone_owner;
