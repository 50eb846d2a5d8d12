-- Whoever writes a purpose's row: a desk may shorten a life, and has no say in a longer one.
CREATE OR REPLACE FUNCTION capped() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    its record;
    most record;
BEGIN
    SELECT c.call, c.started_at, c.time_zone INTO its FROM recordings r JOIN calls c USING (call) WHERE r.recording = NEW.recording;
    -- It ends with its day. For how long custody may judge it then, the house's policy says once the sweep lists it.
    NEW.ends_at := least(NEW.ends_at, day_begins(NEW.expires_on, its.time_zone));
    IF NEW.judge_until > statement_timestamp() THEN
        NEW.judge_by := NULL;
        NEW.judge_until := NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM policy_terms) THEN
        RETURN NEW;
    END IF;
    SELECT * INTO most FROM longest_kept(NEW.purpose, its.started_at, its.time_zone);
    IF most.day IS NULL THEN
        RAISE EXCEPTION 'no policy keeps it for that' USING ERRCODE = 'KT422';
    END IF;
    IF NEW.retention IS NULL OR ((its.started_at AT TIME ZONE its.time_zone)::date + NEW.retention::interval)::date > most.day
        OR NEW.expires_on IS NULL OR NEW.expires_on > most.day THEN
        PERFORM note('retention_capped', 'G10', its.call::text, NEW.recording,
            jsonb_build_object('purpose', NEW.purpose, 'told', NEW.retention, 'policy', most.retention));
        NEW.retention := most.retention;
        IF NEW.expires_on IS NULL OR NEW.expires_on > most.day THEN
            NEW.expires_on := most.day;
            NEW.ends_at := day_begins(most.day, its.time_zone);
        END IF;
    END IF;
    RETURN NEW;
END $$;
