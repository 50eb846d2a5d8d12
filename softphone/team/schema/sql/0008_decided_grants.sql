GRANT EXECUTE ON FUNCTION
    holds_told(text), zones_of(uuid, bytea), holds_raise(uuid, bytea, text, text, jsonb), holds_meant(text), keys_to_decide(uuid),
    hold_end(text, text, text, jsonb, boolean),
    take_back_until(uuid, uuid, bytea, text[], text, timestamptz),
    right_taken(uuid, uuid, bytea, text, text[], timestamptz, timestamptz),
    note_put(uuid, text, bytea, timestamptz, date, timestamptz, jsonb), notes_read(bytea), notes_erase(bytea, text),
    judging_told(timestamptz, uuid, integer), judging_of(uuid), judged_keep(uuid, text, date, timestamptz, text, jsonb), judged_end(uuid, text[], text),
    case_arrived(uuid, text, timestamptz, date, timestamptz), cases_told(uuid),
    case_settle(bigint, uuid, boolean, text, jsonb, timestamptz), newest_signed()
    TO klartone_service;
GRANT EXECUTE ON FUNCTION newest_signed() TO klartone_sweeper;
