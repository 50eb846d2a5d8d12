-- Whoever changes one of these, storage learns of it.
CREATE TRIGGER legal_hold AFTER UPDATE OF held ON recordings FOR EACH ROW WHEN (OLD.held <> NEW.held) EXECUTE FUNCTION legal_hold_changed();
CREATE TRIGGER stone AFTER UPDATE OF stands, reason ON purposes FOR EACH ROW
    WHEN ((OLD.stands, OLD.reason) IS DISTINCT FROM (NEW.stands, NEW.reason)) EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER UPDATE OF restricted ON recordings FOR EACH ROW
    WHEN (OLD.restricted IS DISTINCT FROM NEW.restricted AND NEW.restricted IS DISTINCT FROM 'hold_only') EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER INSERT OR UPDATE OF lifted_at, confirmed_at ON holds FOR EACH ROW EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER INSERT ON withdrawals FOR EACH ROW EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER INSERT OR UPDATE ON remembered FOR EACH ROW EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER UPDATE OF revoked_at ON desks FOR EACH ROW
    WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER UPDATE OF left_at ON people FOR EACH ROW WHEN (OLD.left_at IS DISTINCT FROM NEW.left_at) EXECUTE FUNCTION stone_laid();
