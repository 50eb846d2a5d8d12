-- In the transaction of `policy_take`. `terms`: [{purpose, retention}].
CREATE FUNCTION policy_terms_take(of_number bigint, terms jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    INSERT INTO policy_terms SELECT of_number, t.purpose, t.retention
        FROM jsonb_to_recordset(terms) AS t (purpose text, retention text) ON CONFLICT DO NOTHING
$$;
GRANT EXECUTE ON FUNCTION policy_terms_take(bigint, jsonb) TO klartone_migrator;

-- The first moment of a day, as `softphone.domain.retention.day_begins` has it: where midnight comes twice, the earlier one.
CREATE FUNCTION day_begins(day date, zone text) RETURNS timestamptz LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT min(at) FROM (SELECT (day::timestamp AT TIME ZONE zone) - back * interval '30 minutes' AS at
        FROM generate_series(0, 4) AS back) each WHERE (at AT TIME ZONE zone)::date >= day
$$;

-- How long a call's purpose is kept at most: by the policy that was the house's when it began, one that a desk may have had for two
-- weeks after, or a later one. Where none of these keeps it, by any that did.
CREATE FUNCTION longest_kept(of_purpose text, started_at timestamptz, zone text) RETURNS TABLE (retention text, day date)
    LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT t.retention, ((started_at AT TIME ZONE zone)::date + t.retention::interval)::date AS day FROM policy_terms t
        WHERE t.purpose = of_purpose
        ORDER BY t.number >= coalesce((SELECT max(p.number) FROM policies p WHERE p.taken_at <= started_at - interval '14 days'), 0)
            DESC, day DESC LIMIT 1
$$;

-- Whoever writes a purpose's row: a desk may shorten a life, and has no say in a longer one.
CREATE FUNCTION capped() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    its record;
    most record;
BEGIN
    IF NOT EXISTS (SELECT FROM policy_terms) THEN
        RETURN NEW;
    END IF;
    SELECT c.call, c.started_at, c.time_zone INTO its FROM recordings r JOIN calls c USING (call) WHERE r.recording = NEW.recording;
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
GRANT EXECUTE ON FUNCTION capped() TO klartone_owner; -- for the trigger that it makes
