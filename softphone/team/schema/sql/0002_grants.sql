GRANT EXECUTE ON FUNCTION
    review_open(uuid), review_close(uuid), comment_put(uuid, uuid, integer, uuid, jsonb), comment_remove(uuid),
    score_put(uuid, text, integer, bigint), review_share(uuid, boolean, bigint), review_mark(uuid, integer, date, timestamptz)
    TO klartone_service;
