CREATE TRIGGER stone AFTER UPDATE OF erased_at ON call_notes FOR EACH ROW
    WHEN (OLD.erased_at IS DISTINCT FROM NEW.erased_at) EXECUTE FUNCTION stone_laid();
