CREATE TRIGGER limited AFTER INSERT ON call_notes FOR EACH ROW EXECUTE FUNCTION rows_limited('notes a day', '5000');
CREATE TRIGGER limited AFTER INSERT ON call_note_seals FOR EACH ROW EXECUTE FUNCTION note_bytes_limited();
CREATE TRIGGER limited AFTER INSERT OR UPDATE ON remembered FOR EACH ROW EXECUTE FUNCTION rows_limited('numbers a day', '5000');
REVOKE EXECUTE ON FUNCTION rows_limited(), note_bytes_limited() FROM klartone_owner;
