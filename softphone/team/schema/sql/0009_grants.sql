GRANT EXECUTE ON FUNCTION
    log_countersign(), legal_holds_now(uuid[]), legal_hold_done(uuid, boolean),
    head_last(), stones_unknown(jsonb), tombstone_known(uuid), compare_at(text)
    TO klartone_service;
GRANT EXECUTE ON FUNCTION
    head_mark(), head_archived(), head_follows(), head_last(), restored_since(integer), head_sign(jsonb),
    legal_holds_take(integer), legal_hold_done(uuid, boolean), stones_take(integer), stone_written(text, text, timestamptz),
    stones_forget(interval), stones_unknown(jsonb), tombstone_known(uuid), stone_apply(text, text, timestamptz, jsonb, boolean), head_back(jsonb),
    restored(), compare_rows(uuid, integer), compare_keys(text[]), compare_chains(), compare_log(text, bigint, text, integer),
    compare_heads(bigint, integer), compare_countersigned(bigint, integer), compare_at(text), compare_reached(text, text, bigint)
    TO klartone_sweeper;
