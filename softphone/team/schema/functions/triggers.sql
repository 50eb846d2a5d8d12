-- Whoever changes one of these tables, what follows from it follows in the same statement. The first that fires is the first by name.

-- A recording is settled by its purposes, holds and wraps.
CREATE TRIGGER settled_insert AFTER INSERT ON purposes REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settled();
CREATE TRIGGER settled_update AFTER UPDATE ON purposes REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settled();
CREATE TRIGGER settled_delete AFTER DELETE ON purposes REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settled();
CREATE TRIGGER settled_insert AFTER INSERT ON holds REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settled();
CREATE TRIGGER settled_update AFTER UPDATE ON holds REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settled();
CREATE TRIGGER settled_delete AFTER DELETE ON holds REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settled();
CREATE TRIGGER settled_insert AFTER INSERT ON wraps REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settled();
CREATE TRIGGER settled_update AFTER UPDATE ON wraps REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settled();
CREATE TRIGGER settled_delete AFTER DELETE ON wraps REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION settled();
-- And by a case that restricts it or lets it go. One that is new keeps nothing and opens for nobody yet, which its row says by itself.
CREATE TRIGGER settled_one AFTER UPDATE OF restricted ON recordings FOR EACH ROW EXECUTE FUNCTION settled_one();

-- No desk keeps longer than the policy, begins more than it could send, or writes more than an agent could.
CREATE TRIGGER capped BEFORE INSERT ON purposes FOR EACH ROW EXECUTE FUNCTION capped();
CREATE TRIGGER limited AFTER INSERT ON uploads FOR EACH ROW EXECUTE FUNCTION upload_limited();
CREATE TRIGGER limited AFTER INSERT ON call_notes FOR EACH ROW EXECUTE FUNCTION rows_limited('notes a day', '5000');
CREATE TRIGGER limited AFTER INSERT ON call_note_seals FOR EACH ROW EXECUTE FUNCTION note_bytes_limited();
CREATE TRIGGER limited AFTER INSERT OR UPDATE ON remembered FOR EACH ROW EXECUTE FUNCTION rows_limited('numbers a day', '5000');

-- Who raised a hold and by when it is decided, the house says.
CREATE TRIGGER dated BEFORE INSERT ON holds FOR EACH ROW WHEN (NEW.confirmed_at IS NULL) EXECUTE FUNCTION hold_dated();
CREATE TRIGGER named BEFORE INSERT ON hold_words FOR EACH ROW WHEN (NEW.person IS NOT NULL) EXECUTE FUNCTION raiser_named();

-- The sample's figures, and what is shared of it.
CREATE TRIGGER tallied AFTER UPDATE ON purposes FOR EACH ROW WHEN (NEW.purpose = 'training') EXECUTE FUNCTION tallied();
CREATE TRIGGER marks_kept AFTER DELETE ON review_scores REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION marks_kept();
CREATE TRIGGER unshared AFTER UPDATE OF shared ON reviews FOR EACH ROW EXECUTE FUNCTION unshared();
CREATE TRIGGER unwrapped AFTER DELETE ON wraps REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION unwrapped();

-- What storage learns of.
CREATE TRIGGER legal_hold AFTER UPDATE OF held ON recordings FOR EACH ROW WHEN (OLD.held <> NEW.held) EXECUTE FUNCTION legal_hold_changed();
CREATE TRIGGER stone AFTER UPDATE OF stands, reason, ends_at ON purposes FOR EACH ROW
    WHEN ((OLD.stands, OLD.reason) IS DISTINCT FROM (NEW.stands, NEW.reason) OR NEW.ends_at < coalesce(OLD.ends_at, 'infinity'))
    EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER UPDATE OF restricted ON recordings FOR EACH ROW
    WHEN (OLD.restricted IS DISTINCT FROM NEW.restricted AND NEW.restricted IS DISTINCT FROM 'hold_only') EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER INSERT OR UPDATE OF lifted_at, confirmed_at ON holds FOR EACH ROW EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER UPDATE OF erased_at ON call_notes FOR EACH ROW
    WHEN (OLD.erased_at IS DISTINCT FROM NEW.erased_at) EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER INSERT ON withdrawals FOR EACH ROW EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER INSERT OR UPDATE ON remembered FOR EACH ROW EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER INSERT ON policies FOR EACH ROW EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER UPDATE OF revoked_at ON desks FOR EACH ROW
    WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION stone_laid();
CREATE TRIGGER stone AFTER UPDATE OF left_at ON people FOR EACH ROW WHEN (OLD.left_at IS DISTINCT FROM NEW.left_at) EXECUTE FUNCTION stone_laid();
