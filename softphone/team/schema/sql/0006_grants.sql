GRANT EXECUTE ON FUNCTION
    sample_page(jsonb, timestamptz, uuid, integer), sample_row(uuid), sample_days(jsonb), sample_living(uuid[]), tallies_put(jsonb),
    sample_figures(text[], text[], text, text), marks_living(), marks_groups(),
    review_read(uuid), review_still(uuid), review_marked(uuid), review_terms(uuid), reading_key_put(bytea, bytea),
    review_seal(uuid, jsonb, jsonb), shared_reviews(), shared_read(uuid), shared_open(uuid), shared_file(uuid)
    TO klartone_service;
GRANT EXECUTE ON FUNCTION marks_forget() TO klartone_sweeper;
GRANT EXECUTE ON FUNCTION tallied(), marks_kept(), unshared(), unwrapped() TO klartone_owner; -- for the triggers that it makes
