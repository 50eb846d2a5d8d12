-- What a desk asks, begins and makes grow is limited.

-- How much of it there was since the minute, or the day, began, with this.
CREATE FUNCTION rated(of_desk uuid, of_what text, by_unit text, more bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    now_at bigint;
BEGIN
    INSERT INTO desk_rates AS r VALUES (of_desk, of_what, date_trunc(by_unit, statement_timestamp()), more)
        ON CONFLICT (desk, what) DO UPDATE SET since = excluded.since,
            count = excluded.count + CASE WHEN r.since = excluded.since THEN r.count ELSE 0 END
        RETURNING count INTO now_at;
    RETURN now_at;
END $$;

-- False: it was shown before. Each takes away some that are past: whoever has no token at all can write one.
CREATE FUNCTION proof_new(proof bytea, until timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    new boolean;
BEGIN
    INSERT INTO proofs VALUES ($1, $2) ON CONFLICT DO NOTHING;
    new := FOUND;
    DELETE FROM proofs p WHERE p.proof IN (
        SELECT o.proof FROM proofs o WHERE o.until <= statement_timestamp() ORDER BY o.until LIMIT 20 FOR UPDATE SKIP LOCKED);
    RETURN new;
END $$;

-- `new`; `used`: the proof was shown before; `many`: that desk has asked for this `most` times within the minute.
CREATE FUNCTION request_new(proof bytea, until timestamptz, of_what text, most bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    count bigint := rated((SELECT desk FROM asking()), of_what, 'minute', 1);
BEGIN
    IF NOT proof_new(proof, until) THEN
        RETURN 'used';
    END IF;
    IF count = most + 1 THEN
        PERFORM note('limited', 'G11', '', NULL, jsonb_build_object('what', of_what, 'most', most));
    END IF;
    RETURN CASE WHEN count > most THEN 'many' ELSE 'new' END;
END $$;

-- That something was refused because it is too much, once a minute.
CREATE FUNCTION limit_note(of_what text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody', 'it');
BEGIN
    IF rated(who.desk, 'limited ' || left(of_what, 40), 'minute', 1) = 1 THEN
        PERFORM note('limited', 'G11', '', NULL, jsonb_build_object('what', left(of_what, 40)));
    END IF;
END $$;

-- A desk sends one after the other: 500 begun at once, 8 GiB of them, and 32 GiB begun a day are no desk's.
CREATE FUNCTION upload_limited() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF (SELECT count(*) > 500 OR sum(u.size) > 8::bigint << 30 FROM uploads u WHERE u.desk = NEW.desk)
        OR rated(NEW.desk, 'bytes a day', 'day', NEW.size) > 32::bigint << 30 THEN
        RAISE EXCEPTION 'too much' USING ERRCODE = 'KT429';
    END IF;
    RETURN NULL;
END $$;

-- What a desk makes grow is limited: each row counts for its day. `TG_ARGV`: what it is, and how many a day.
CREATE FUNCTION rows_limited() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    of_desk uuid := (SELECT desk FROM asking());
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('klartone.audit.service', 0));
    -- Nobody asks: a restored database is told what it has lost.
    IF of_desk IS NOT NULL AND rated(of_desk, TG_ARGV[0], 'day', 1) > TG_ARGV[1]::bigint THEN
        RAISE EXCEPTION 'too much' USING ERRCODE = 'KT429';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION note_bytes_limited() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    of_desk uuid := (SELECT desk FROM asking());
BEGIN
    IF of_desk IS NOT NULL AND rated(of_desk, 'note bytes a day', 'day', length(NEW.sealed)) > 16 << 20 THEN
        RAISE EXCEPTION 'too much' USING ERRCODE = 'KT429';
    END IF;
    RETURN NULL;
END $$;

-- Who asks, and whether they may now: `new`; `used`: the proof was shown before; `many`: their desk has asked for this `most` times
-- within the minute; `elsewhere`: the token is bound to another key than the one that was shown. No row: nobody whose session lives.
CREATE FUNCTION request_asked(proof bytea, until timestamptz, of_what text, most bigint, shown text) RETURNS TABLE (
    person uuid, desk uuid, thumbprint text, roles text[], agents text[], expires_at timestamptz, may text
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who record;
BEGIN
    SELECT * INTO who FROM who_asks();
    IF who.person IS NULL THEN
        RETURN;
    END IF;
    IF who.thumbprint = shown THEN
        may := request_new(proof, until, of_what, most);
    ELSE
        PERFORM note_rated('token_elsewhere_refused', 'G11', '', NULL, '{}');
        may := 'elsewhere';
    END IF;
    RETURN QUERY SELECT who.person, who.desk, who.thumbprint, who.roles, who.agents, who.expires_at, may;
END $$;
