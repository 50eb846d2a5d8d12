CREATE TRIGGER limited AFTER INSERT ON uploads FOR EACH ROW EXECUTE FUNCTION upload_limited();
REVOKE EXECUTE ON FUNCTION upload_limited() FROM klartone_owner;
