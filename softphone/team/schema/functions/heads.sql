-- Heads of the service's log, for the sweeper's login: it signs them, by a key that the service does not have.

-- The log's newest entry; this transaction's end says that it lies as safe as the database keeps a transaction.
CREATE FUNCTION head_mark() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    newest bigint := coalesce((SELECT h.number FROM service_head() h), 0);
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    -- Also of one that has a mark: only a transaction that writes is waited for.
    INSERT INTO head_marks (number, lsn) VALUES (newest, pg_current_wal_insert_lsn())
        ON CONFLICT (number) DO UPDATE SET at = statement_timestamp();
    DELETE FROM head_marks m WHERE m.number < (SELECT max(s.durable_to) FROM signed_heads s);
    RETURN newest;
END $$;

-- The newest marked entry whose part of the database's own log lies in the archive; 0: none, or nothing is archived.
CREATE FUNCTION head_archived() RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    file text := (SELECT a.last_archived_wal FROM pg_stat_archiver a);
    bytes numeric := (SELECT s.setting::numeric FROM pg_settings s WHERE s.name = 'wal_segment_size');
    segment numeric;
BEGIN
    IF current_setting('archive_mode') = 'off' OR coalesce(file, '') !~ '^[0-9A-F]{24}$'
        OR left(file, 8) <> left(pg_walfile_name(pg_current_wal_lsn()), 8) THEN
        RETURN 0;
    END IF;
    segment := ('x' || substr(file, 9, 8))::bit(32)::bigint * (4294967296 / bytes) + ('x' || substr(file, 17, 8))::bit(32)::bigint;
    RETURN coalesce((SELECT max(m.number) FROM head_marks m WHERE m.lsn <= '0/0'::pg_lsn + (segment + 1) * bytes), 0);
END $$;

-- Whether a transaction's end waits for another server.
CREATE FUNCTION head_follows() RETURNS boolean LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT current_setting('synchronous_standby_names') <> ''
$$;

CREATE FUNCTION head_last() RETURNS SETOF signed_heads LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT * FROM signed_heads ORDER BY serial DESC LIMIT 1
$$;

-- What the next one has to say of restores since that epoch: how often, and the earliest entry at which one went on.
CREATE FUNCTION restored_since(of_epoch integer) RETURNS TABLE (epoch integer, number bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT coalesce((SELECT max(r.epoch) FROM restores r), 0), (SELECT min(r.number) FROM restores r WHERE r.epoch > of_epoch)
$$;

-- False: another sweeper was faster.
CREATE FUNCTION head_sign(told jsonb) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    one signed_heads := jsonb_populate_record(NULL::signed_heads, told);
BEGIN
    IF NOT EXISTS (SELECT FROM audit a WHERE a.chain = 'service' AND a.number = one.number AND a.hash = one.hash)
        OR one.serial <> 1 + coalesce((SELECT max(s.serial) FROM signed_heads s), 0) THEN
        RETURN false;
    END IF;
    INSERT INTO signed_heads SELECT one.* ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- One's own desk's log as far as it has come, into the service's log: so the signed head covers it. No row: nothing came.
CREATE FUNCTION log_countersign() RETURNS TABLE (number bigint, hash text, head bigint, head_hash text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent');
    last record;
BEGIN
    SELECT a.number, a.hash INTO last FROM audit a WHERE a.chain = who.desk::text ORDER BY a.number DESC LIMIT 1;
    IF last.number IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO countersigned VALUES (who.desk, last.number) ON CONFLICT (desk) DO UPDATE SET number = excluded.number
        WHERE countersigned.number < excluded.number;
    IF FOUND THEN
        PERFORM note('desk_log_arrived', 'G11', '', NULL, jsonb_build_object('number', last.number, 'hash', last.hash));
    END IF;
    RETURN QUERY SELECT last.number, last.hash, h.number, h.hash FROM service_head() h;
END $$;
