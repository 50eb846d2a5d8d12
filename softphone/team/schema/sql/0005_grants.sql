GRANT EXECUTE ON FUNCTION
    recording_asked(uuid), recording_log(uuid), recording_open(uuid, text, text, text), recording_exported(uuid, text, text, text),
    archive_written()
    TO klartone_service;
