GRANT EXECUTE ON FUNCTION
    case_open(text, timestamptz, text, text[], date, timestamptz, jsonb, uuid[]), case_decide(bigint, uuid, boolean, text, jsonb),
    case_extend(bigint, text, date, timestamptz), case_answered(bigint), case_close(bigint)
    TO klartone_service;
