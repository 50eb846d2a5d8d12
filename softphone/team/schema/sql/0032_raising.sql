-- A desk says that something is held, and why. Who raised it and by when it is decided, the house says; storage's own hold, the sweep.

-- As `softphone.domain.retention.answer_by` has it for a request for access. A taken service may give a dispute a year.
CREATE FUNCTION hold_dated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    zone text := (SELECT c.time_zone FROM calls c JOIN recordings r USING (call) WHERE r.recording = NEW.recording);
BEGIN
    NEW.confirm_by := CASE NEW.raised_for
        WHEN 'access' THEN day_begins(((NEW.at AT TIME ZONE zone)::date + interval '1 month')::date + 1, zone) - interval '1 second'
        ELSE least(NEW.confirm_by, statement_timestamp() + interval '1 year')
    END;
    RETURN NEW;
END $$;

CREATE FUNCTION raiser_named() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    NEW.raised_by := (SELECT p.subject FROM people p WHERE p.person = NEW.person);
    RETURN NEW;
END $$;
GRANT EXECUTE ON FUNCTION hold_dated(), raiser_named() TO klartone_owner; -- for the triggers that it makes

-- Of these recordings, those on which they have raised a hold, or which they find all: the request does at once what the sweep does
-- once more a minute later.
CREATE OR REPLACE FUNCTION legal_holds_now(these uuid[]) RETURNS TABLE (recording uuid, object_key text, object_version text, held boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody');
BEGIN
    RETURN QUERY UPDATE legal_holds_due d SET tried_at = statement_timestamp() FROM recordings r
        WHERE d.recording = ANY (these) AND r.recording = d.recording AND d.tried_at IS NULL
            AND (i_find_all() OR EXISTS (SELECT FROM holds h JOIN hold_words w USING (hold)
                WHERE h.recording = d.recording AND w.person = who.person))
        RETURNING r.recording, r.object_key, r.object_version, r.held;
END $$;

-- The sweep has asked storage. Where the row says another thing meanwhile, it is due again. Whether it is done. What the service says
-- changes nothing: whose session it has is no proof of what storage has.
CREATE OR REPLACE FUNCTION legal_hold_done(of uuid, is_held boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF session_user <> 'klartone_sweeper' THEN
        PERFORM need('agent', 'case_handler', 'lead', 'custody');
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM recordings r WHERE r.recording = of AND r.held = is_held FOR UPDATE) THEN
        DELETE FROM legal_holds_due d WHERE d.recording = of;
        RETURN true;
    END IF;
    INSERT INTO legal_holds_due SELECT of FROM recordings r WHERE r.recording = of
        ON CONFLICT (recording) DO UPDATE SET tried_at = NULL;
    RETURN false;
END $$;

-- All of storage has been read. From here on the log goes on, and says so. What ended since the backup has no stone where somebody
-- only signed in, proved or was invited: none of it counts any more.
CREATE OR REPLACE FUNCTION restored() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    ended bigint := coalesce((SELECT r.number FROM service_head() r), 0);
    made integer := 1 + greatest((SELECT max(r.epoch) FROM restores r), (SELECT max(s.epoch) FROM signed_heads s), 0);
BEGIN
    INSERT INTO restores (epoch, number) VALUES (made, ended);
    DELETE FROM head_marks;
    UPDATE codes SET used_at = statement_timestamp() WHERE used_at IS NULL;
    UPDATE sessions SET ended_at = coalesce(ended_at, statement_timestamp()), refresh_until = least(refresh_until, statement_timestamp());
    DELETE FROM key_challenges;
    DELETE FROM person_keys;
    PERFORM note('database_restored', 'G10', '', NULL, jsonb_build_object('epoch', made, 'after', ended));
    RETURN made;
END $$;
