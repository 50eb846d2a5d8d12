-- How much of it there was since the minute, or the day, began, with this.
CREATE FUNCTION rated(of_desk uuid, of_what text, by_unit text, more bigint) RETURNS bigint
    LANGUAGE sql SET search_path = klartone, pg_temp AS $$
    INSERT INTO desk_rates AS r VALUES (of_desk, of_what, date_trunc(by_unit, statement_timestamp()), more)
        ON CONFLICT (desk, what) DO UPDATE SET since = excluded.since,
            count = excluded.count + CASE WHEN r.since = excluded.since THEN r.count ELSE 0 END
        RETURNING count
$$;

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

-- As before, but nobody fills the log with refusals: 100 of a desk in a minute, and 2,000 a day. Then one entry says so.
CREATE OR REPLACE FUNCTION audit_note(of_event text, of_rule text, of_call text, of_recording uuid, params jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    of_desk uuid := (SELECT desk FROM asking());
    minute bigint;
    day bigint;
BEGIN
    IF of_desk IS NOT NULL AND of_event IN ('refused', 'recording_refused', 'hold_refused', 'token_elsewhere_refused') THEN
        minute := rated(of_desk, 'refused', 'minute', 1);
        day := rated(of_desk, 'refused a day', 'day', 1);
        IF minute > 100 OR day > 2000 THEN
            IF minute = 101 OR day = 2001 THEN
                PERFORM note('refused_often', 'G11', '', NULL, jsonb_build_object('minute', minute, 'day', day));
            END IF;
            RETURN;
        END IF;
    END IF;
    PERFORM note(of_event, of_rule, of_call, of_recording, params);
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

GRANT EXECUTE ON FUNCTION request_new(bytea, timestamptz, text, bigint) TO klartone_service, klartone_signin;
GRANT EXECUTE ON FUNCTION limit_note(text) TO klartone_service, klartone_signin;
GRANT EXECUTE ON FUNCTION upload_limited() TO klartone_owner; -- for the trigger that it makes
