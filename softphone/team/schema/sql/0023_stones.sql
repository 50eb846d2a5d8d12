CREATE INDEX stones_of_a_recording ON stones ((told ->> 'recording')) WHERE told ->> 'recording' IS NOT NULL;
DROP TRIGGER stone ON purposes;
CREATE TRIGGER stone AFTER UPDATE OF stands, reason, ends_at ON purposes FOR EACH ROW
    WHEN ((OLD.stands, OLD.reason) IS DISTINCT FROM (NEW.stands, NEW.reason) OR NEW.ends_at < coalesce(OLD.ends_at, 'infinity'))
    EXECUTE FUNCTION stone_laid();
