-- The house's policies, by the login that migrates; and how long they keep what, whatever a desk says.

-- On the server, by the login that migrates: it was signed elsewhere, and each desk checks that. A lower number never comes after a
-- higher one. `keys`: [{role, key_id, public_key}], the last in hex or left out; `teams`: [{team, agents, lines, leads}].
CREATE FUNCTION policy_take(
    of_number bigint, of_signed bytea, of_signer text, of_succession bytea, of_own_calls interval, keys jsonb, teams jsonb
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    last policies;
BEGIN
    LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM policies WHERE number = newest_policy();
    IF of_number <= last.number THEN
        RAISE EXCEPTION 'a lower number' USING ERRCODE = 'KT409';
    END IF;
    IF of_signer <> last.signer AND of_succession IS NULL THEN
        RAISE EXCEPTION 'another signer' USING ERRCODE = 'KT422';
    END IF;
    INSERT INTO policies (number, signed, signer, succession, own_calls)
        VALUES (of_number, of_signed, of_signer, of_succession, of_own_calls);
    INSERT INTO policy_keys (number, role, key_id, public_key) SELECT of_number, k.role, k.key_id, decode(k.public_key, 'hex')
        FROM jsonb_to_recordset(keys) AS k (role text, key_id text, public_key text);
    INSERT INTO policy_teams SELECT of_number, t.team, addresses(t.agents), t.lines, t.leads
        FROM jsonb_to_recordset(teams) AS t (team text, agents text[], lines text[], leads text[]);
    PERFORM note('policy_taken', 'G11', '', NULL, jsonb_build_object('number', of_number, 'signer', of_signer));
END $$;

-- In the transaction of `policy_take`. `terms`: [{purpose, retention}].
CREATE FUNCTION policy_terms_take(of_number bigint, terms jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    INSERT INTO policy_terms SELECT of_number, t.purpose, t.retention
        FROM jsonb_to_recordset(terms) AS t (purpose text, retention text) ON CONFLICT DO NOTHING
$$;

-- The signed bytes of the newest policy, for what its own words decide; and whose signature they have.
CREATE FUNCTION newest_signed() RETURNS TABLE (number bigint, signed bytea, signer text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT p.number, p.signed, p.signer FROM policies p WHERE p.number = newest_policy()
$$;

-- Those after that number, as they were signed, the oldest first.
CREATE FUNCTION signed_after(after bigint) RETURNS TABLE (number bigint, signed bytea, signer text, succession bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT p.number, p.signed, p.signer, p.succession FROM policies p WHERE p.number > after ORDER BY p.number
$$;

-- Whether the rows of a policy are these, as `policy_take` and `policy_terms_take` get them.
CREATE FUNCTION policy_holds(of_number bigint, of_own_calls interval, keys jsonb, teams jsonb, terms jsonb) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    WITH told_keys AS (SELECT k.role, k.key_id, decode(k.public_key, 'hex') AS public_key
            FROM jsonb_to_recordset(keys) AS k (role text, key_id text, public_key text)),
        known_keys AS (SELECT k.role, k.key_id, k.public_key FROM policy_keys k WHERE k.number = of_number),
        told_teams AS (SELECT t.team, addresses(t.agents) AS agents, t.lines, t.leads
            FROM jsonb_to_recordset(teams) AS t (team text, agents text[], lines text[], leads text[])),
        known_teams AS (SELECT t.team, t.agents, t.lines, t.leads FROM policy_teams t WHERE t.number = of_number),
        told_terms AS (SELECT t.purpose, t.retention FROM jsonb_to_recordset(terms) AS t (purpose text, retention text)),
        known_terms AS (SELECT t.purpose, t.retention FROM policy_terms t WHERE t.number = of_number)
    SELECT (SELECT p.own_calls = of_own_calls FROM policies p WHERE p.number = of_number)
        AND NOT EXISTS (TABLE told_keys EXCEPT TABLE known_keys) AND NOT EXISTS (TABLE known_keys EXCEPT TABLE told_keys)
        AND NOT EXISTS (TABLE told_teams EXCEPT TABLE known_teams) AND NOT EXISTS (TABLE known_teams EXCEPT TABLE told_teams)
        AND NOT EXISTS (TABLE told_terms EXCEPT TABLE known_terms) AND NOT EXISTS (TABLE known_terms EXCEPT TABLE told_terms)
$$;

-- A policy that a restored database has lost: nobody is served by the one before, which may name whom the newer one had dropped.
CREATE FUNCTION policy_lost() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT max((s.told ->> 'number')::bigint) FROM stones s
        WHERE s.what = 'policies' AND (s.told ->> 'number')::bigint > coalesce(newest_policy(), 0)
$$;

-- The first moment of a day, as `softphone.domain.retention.day_begins` has it: where midnight comes twice, the earlier one.
CREATE FUNCTION day_begins(day date, zone text) RETURNS timestamptz
    LANGUAGE plpgsql STABLE SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN (SELECT min(at) FROM (SELECT (day::timestamp AT TIME ZONE zone) - back * interval '30 minutes' AS at
        FROM generate_series(0, 4) AS back) each WHERE (at AT TIME ZONE zone)::date >= day);
END $$;

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
