-- The service reads in storage what these tell: it writes there by the same key.
GRANT EXECUTE ON FUNCTION stones_take(integer), stone_written(text, text, timestamptz) TO klartone_service;
