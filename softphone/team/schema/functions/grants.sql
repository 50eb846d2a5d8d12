-- Which login calls which function, by subject. Each asks by itself who may.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA klartone
    FROM PUBLIC, klartone_owner, klartone_service, klartone_signin, klartone_sweeper, klartone_migrator;

GRANT EXECUTE ON FUNCTION
    my_person(), my_desk(), i_am(text), my_agents(), mine_since(), own_since(), my_keys(text), i_find_all(), my_led(), led(text, text),
    i_lead(text, text), lives_for(recordings, text), schema_stands(),
    service_head(), service_log(), events_of_it(), audit_note(text, text, text, uuid, jsonb), audit_ship(jsonb),
    proof_new(bytea, timestamptz), request_new(bytea, timestamptz, text, bigint), limit_note(text),
    request_asked(bytea, timestamptz, text, bigint, text), who_asks(), session_end(), desk_revoke(uuid), person_leaves(uuid), key_proved(text, text, bytea),
    desk_seen(text, integer, text), people_figures(),
    newest_signed(), policy_lost(), signed_after(bigint), policy_holds(bigint, interval, jsonb, jsonb, jsonb),
    my_news(), account_passwords(), account_password_kept(text),
    upload_begin(uuid, bigint, bytea, integer, text), upload_named(uuid, text, text),
    upload_part(uuid, text, integer, bytea, text), upload_drop(uuid), recording_store(uuid, jsonb), receipt_keep(uuid, text),
    purposes_ended(uuid), compared_note(text),
    take_back_own(uuid, uuid, uuid, text[], text),
    take_back(uuid, uuid, bytea, text[], text), take_back_until(uuid, uuid, bytea, text[], text, timestamptz),
    right_taken(uuid, uuid, bytea, text, text[], date, timestamptz, timestamptz),
    number_remember(bytea, text, text, text, text, timestamptz, timestamptz), number_known(bytea, text), number_calls(bytea),
    holds_place(jsonb), hold_undo(text), holds_raise(uuid, bytea, text, text, jsonb), holds_told(text),
    holds_meant(text), hold_confirm(text, date), keys_to_decide(uuid), hold_end(text, text, text, jsonb, boolean),
    judging_told(timestamptz, uuid, integer), judging_of(uuid), judged_keep(uuid, text, date, timestamptz, text, jsonb),
    judged_end(uuid, text[], text),
    note_put(uuid, text, bytea, timestamptz, date, timestamptz, jsonb), notes_read(bytea), notes_erase(bytea, text),
    case_arrived(uuid, text, timestamptz), case_heard(uuid, uuid, text, boolean, timestamptz),
    cases_told(uuid), case_settle(bigint, uuid, boolean, text, jsonb, timestamptz),
    recording_asked(uuid), recording_log(uuid), recording_open(uuid, text, text, text), recording_file(uuid),
    recording_exported(uuid, text, text, text), archive_written(),
    review_open(uuid), review_close(uuid), comment_put(uuid, uuid, integer, uuid, jsonb), comment_remove(uuid),
    score_put(uuid, text, integer, bigint), review_share(uuid, boolean, bigint), review_vouch(uuid, text),
    review_mark(uuid, integer, date, timestamptz),
    review_read(uuid), review_still(uuid), review_marked(uuid), review_terms(uuid), reading_key_put(bytea, bytea),
    review_seal(uuid, jsonb, jsonb), shared_reviews(), shared_read(uuid), shared_open(uuid), shared_file(uuid),
    sample_page(jsonb, timestamptz, uuid, integer), sample_row(uuid), sample_days(jsonb), sample_living(uuid[]),
    sample_waiting(), tallies_put(jsonb), sample_figures(text[], text[], text, text), marks_living(), marks_groups(),
    head_last(), log_countersign(),
    legal_holds_now(uuid[]), legal_hold_done(uuid, boolean), stones_take(integer), stone_written(text, text, timestamptz),
    stones_unknown(jsonb), tombstone_known(uuid), stone_key(), object_missing(uuid, text),
    compare_at(text)
    TO klartone_service;

GRANT EXECUTE ON FUNCTION
    schema_stands(),
    audit_note(text, text, text, uuid, jsonb),
    proof_new(bytea, timestamptz), request_new(bytea, timestamptz, text, bigint), limit_note(text),
    request_asked(bytea, timestamptz, text, bigint, text), is_compared(text),
    session_open(uuid, bytea, bytea, text, text, text[], text[], uuid, bytea, text, interval, interval),
    session_by_code(bytea, uuid, bytea, bytea, uuid, bytea, text, interval, interval),
    session_renew(bytea, text, uuid, bytea, bytea, interval, interval), desk_runs(text, text), who_asks(), key_challenge(text, text, bytea),
    key_public(text, text), key_proved(text, text, bytea)
    TO klartone_signin;

GRANT EXECUTE ON FUNCTION
    schema_stands(),
    service_head(),
    newest_signed(), signed_after(bigint), policy_holds(bigint, interval, jsonb, jsonb, jsonb),
    judge_due(integer), judge_listed(uuid, text, date, timestamptz),
    marks_forget(),
    sweep(integer), forget(), withdrawals_forget(), tombstones_take(integer), tombstone_written(uuid), tombstone_erased(uuid),
    tombstone_apply(uuid, text, text), uploads_given_up(interval, integer), upload_gone(text),
    head_mark(), head_archived(), head_follows(), head_last(), restored_since(integer), head_sign(jsonb),
    legal_holds_take(integer), legal_hold_done(uuid, boolean), stones_take(integer), stone_written(text, text, timestamptz),
    stones_forget(interval),
    stone_key(), object_missing(uuid, text), restoring_would(uuid[]),
    stones_unknown(jsonb), tombstone_known(uuid), stone_apply(text, text, timestamptz, jsonb, boolean), head_back(jsonb),
    restored(), terms_standing(), log_cut(timestamptz, integer), cases_forget(timestamptz, integer),
    compare_rows(uuid, integer), compare_keys(text[]), compare_chains(), compare_log(text, bigint, text, integer),
    compare_heads(bigint, integer), compare_countersigned(bigint, integer), compare_at(text),
    compare_reached(text, text, bigint), compare_told(bigint, bigint, text[]), sweep_told(bigint)
    TO klartone_sweeper;

GRANT EXECUTE ON FUNCTION
    code_make(bytea, text, text[], text[], interval), people_figures(), desk_revoke(uuid), person_leaves(uuid), person_returns(uuid),
    policy_take(bigint, bytea, text, bytea, interval, jsonb, jsonb), policy_terms_take(bigint, jsonb),
    house_settings_take(text), newest_signed(), notice_take(text, bytea), policy_notice(bigint, text, text), account_set(text, jsonb, bytea),
    account_remove(text), accounts_listed()
    TO klartone_migrator;

-- For the triggers that it makes.
GRANT EXECUTE ON FUNCTION
    settled(), settled_one(), hold_dated(), raiser_named(),
    upload_limited(), rows_limited(), note_bytes_limited(),
    capped(),
    unshared(), unwrapped(),
    tallied(), marks_kept(),
    legal_hold_changed(), stone_laid()
    TO klartone_owner;
