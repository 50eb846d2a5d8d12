-- Which login calls which function. Each asks by itself who may.

GRANT EXECUTE ON FUNCTION
    my_person(), my_desk(), i_am(text), my_agents(), own_since(), my_keys(text), i_find_all(), my_led(), led(text, text), i_lead(text, text),
    lives_for(recordings, text),
    who_asks(), session_end(), desk_revoke(uuid), person_leaves(uuid),
    key_proved(text, text, bytea), desk_seen(text, integer, text), people_figures(), proof_new(bytea, timestamptz),
    upload_begin(uuid, bigint, bytea, integer, text), upload_named(uuid, text, text),
    upload_part(uuid, text, integer, bytea, text), upload_drop(uuid), recording_store(uuid, jsonb), receipt_keep(uuid, text),
    take_back(uuid, uuid, bytea, text[], text),
    number_remember(bytea, text, text, text, text, timestamptz, timestamptz), number_known(bytea, text), number_calls(bytea),
    holds_place(jsonb), hold_undo(text), hold_confirm(text, date), hold_lift(text, text, jsonb),
    audit_note(text, text, text, uuid, jsonb), audit_ship(jsonb), service_head()
    TO klartone_service;
GRANT EXECUTE ON FUNCTION
    session_open(uuid, bytea, bytea, text, text, text[], text[], uuid, bytea, text, interval, interval),
    session_by_code(bytea, uuid, bytea, bytea, uuid, bytea, text, interval, interval),
    session_renew(bytea, text, uuid, bytea, bytea, interval, interval), proof_new(bytea, timestamptz),
    key_challenge(text, text, bytea)
    TO klartone_signin;
GRANT EXECUTE ON FUNCTION
    sweep(integer), judge_due(integer), judge_listed(uuid, text, date, timestamptz), forget(), tombstones_take(integer),
    tombstone_written(uuid), tombstone_erased(uuid), tombstone_apply(uuid, text, text), uploads_given_up(interval, integer), upload_gone(text),
    service_head(),
    head_keep(text, bigint, text, text, text)
    TO klartone_sweeper;
GRANT EXECUTE ON FUNCTION
    code_make(bytea, text, text[], text[], interval), people_figures(),
    policy_take(bigint, bytea, text, bytea, interval, jsonb, jsonb)
    TO klartone_migrator;
