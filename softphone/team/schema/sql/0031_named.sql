-- An invitation names the newest policy's number: whoever joins by it takes none before it.
GRANT EXECUTE ON FUNCTION newest_policy() TO klartone_migrator;
