-- Who asks. The service sets `klartone.asking` for a transaction: the hex of a token's hash. What is looked up is the hash of
-- that, among living sessions which the service can neither read nor write. Nothing else that it sets says who asks.
-- And what they may, by roles, proved keys, and teams of the newest policy.

-- A function in SQL is planned anew in every transaction, which costs more than what it does; the plan of one in PL/pgSQL is kept with
-- its connection.
CREATE FUNCTION asking() RETURNS sessions
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions;
BEGIN
    SELECT s.* INTO who FROM sessions s JOIN people p USING (person) JOIN desks d ON d.desk = s.desk
        WHERE s.token_hash = sha256(convert_to(current_setting('klartone.asking', true), 'UTF8'))
            AND s.ended_at IS NULL AND s.expires_at > statement_timestamp() AND p.left_at IS NULL AND d.revoked_at IS NULL;
    RETURN who;
END $$;

-- An agent's address as the policy and the desks have it (`user@domain`), whoever tells it.
CREATE FUNCTION address(told text) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN regexp_replace(btrim(told), '^sips?:', '');

CREATE FUNCTION addresses(told text[]) RETURNS text[] LANGUAGE sql IMMUTABLE
    RETURN ARRAY (SELECT address(one) FROM unnest(told) AS one);

CREATE FUNCTION my_person() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN (SELECT person FROM asking());
END $$;

CREATE FUNCTION my_desk() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN (SELECT desk FROM asking());
END $$;

CREATE FUNCTION i_am(role text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT i_am.role = ANY (roles) FROM asking()), false);
END $$;

-- An agent's own addresses; of nobody else.
CREATE FUNCTION my_agents() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT agents FROM asking() WHERE 'agent' = ANY (roles)), '{}');
END $$;

-- From when on what is under their name is theirs: whoever came back under it may be another, who has it now.
CREATE FUNCTION mine_since() RETURNS timestamptz
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT p.returned_at FROM people p WHERE p.person = my_person()), '-infinity');
END $$;

-- An own call: this person made it, under an address that is theirs. An address alone is nobody: it is given on.
CREATE FUNCTION i_made(of_person uuid, of_agent text, at timestamptz) RETURNS boolean LANGUAGE sql STABLE
    RETURN of_person = my_person() AND of_agent = ANY (my_agents()) AND at >= mine_since();

-- Whose call it is: who had joined with that desk when it began.
CREATE FUNCTION joined_then(of_desk uuid, at timestamptz) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT CASE WHEN at < d.moved_at THEN d.was_person ELSE d.person END FROM desks d WHERE d.desk = of_desk
$$;

CREATE FUNCTION newest_policy() RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN (SELECT max(number) FROM policies);
END $$;

CREATE FUNCTION own_since() RETURNS timestamptz
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN greatest(mine_since(),
        statement_timestamp() - coalesce((SELECT own_calls FROM policies WHERE number = newest_policy()), interval '168 hours'));
END $$;

-- The keys that they have proved for a role that they have, each as `role:key_id`. No role: for any.
CREATE FUNCTION my_keys(of_role text DEFAULT NULL) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(k.role || ':' || k.key_id), '{}')
    FROM asking() a JOIN person_keys k USING (person)
    WHERE (of_role IS NULL OR k.role = of_role) AND CASE k.role
        WHEN 'documentation' THEN 'case_handler' WHEN 'training' THEN 'lead' ELSE 'custody' END = ANY (a.roles));
END $$;

-- Custody, by a key that the newest policy names.
CREATE FUNCTION i_find_all() RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    keys text[] := my_keys('custody');
BEGIN
    RETURN keys <> '{}' AND EXISTS (SELECT FROM policy_keys p
        WHERE p.number = newest_policy() AND p.role = 'custody' AND 'custody:' || p.key_id = ANY (keys));
END $$;

-- What calls they lead, each as `led` has it: asked once a statement, and compared with each row.
CREATE FUNCTION my_led() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    keys text[] := my_keys('training');
    newest bigint := newest_policy();
BEGIN
    IF keys = '{}' THEN
        RETURN keys;
    END IF;
    -- Everybody's, where the policy names no team.
    IF NOT EXISTS (SELECT FROM policy_teams t WHERE t.number = newest) THEN
        RETURN '{*}';
    END IF;
    RETURN (
        WITH mine AS (
            SELECT t.agents, t.lines FROM policy_teams t
            WHERE t.number = newest AND EXISTS (SELECT FROM unnest(t.leads) AS one (key_id) WHERE 'training:' || one.key_id = ANY (keys))
        )
        SELECT coalesce(array_agg(told), '{}') FROM (
            SELECT 'a ' || agent AS told FROM mine, unnest(agents) AS agent WHERE lines = '{}'
            UNION SELECT 'l ' || line FROM mine, unnest(lines) AS line WHERE agents = '{}'
            UNION SELECT 'b ' || agent || ' ' || line FROM mine, unnest(agents) AS agent, unnest(lines) AS line
        ) each
    );
END $$;

-- As `Viewer.leads` has it: an agent of the team on a line of it, where it names both. A team that names nothing has no calls.
CREATE FUNCTION led(of_line text, of_agent text) RETURNS text[] LANGUAGE sql IMMUTABLE
    RETURN ARRAY ['*', 'a ' || of_agent, 'l ' || of_line, 'b ' || of_agent || ' ' || of_line];

CREATE FUNCTION i_lead(of_line text, of_agent text) RETURNS boolean LANGUAGE sql STABLE
    RETURN led(of_line, of_agent) && my_led();

-- Whether a role opens it now (`softphone.domain.archive.recordings.opens_for`). It and the two above are bound to what they
-- name when they are made, so no caller's search path changes them.
CREATE FUNCTION lives_for(r recordings, role text) RETURNS boolean LANGUAGE sql STABLE
    RETURN CASE role
        WHEN 'documentation' THEN r.documentation_until > statement_timestamp()
        WHEN 'training' THEN r.training_until > statement_timestamp() AND NOT r.held
        WHEN 'custody' THEN r.held OR r.restricted IS NOT DISTINCT FROM 'hold_only'
            OR greatest(r.documentation_until, r.training_until, r.waits_until) > statement_timestamp()
        ELSE false
    END;

-- Who asks, or a refusal: KT401 nobody whose session lives, KT403 nobody with one of these roles.
CREATE FUNCTION need(VARIADIC wanted text[]) RETURNS sessions
    LANGUAGE plpgsql STABLE SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions;
BEGIN
    -- Each statement sees what has been committed before it: revocations, withdrawals, holds.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'another isolation' USING ERRCODE = 'KT403';
    END IF;
    SELECT * INTO who FROM asking();
    IF who.session IS NULL THEN
        RAISE EXCEPTION 'no living session' USING ERRCODE = 'KT401';
    END IF;
    IF NOT who.roles && wanted THEN
        RAISE EXCEPTION 'not yours' USING ERRCODE = 'KT403';
    END IF;
    RETURN who;
END $$;

CREATE FUNCTION need_custody() RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('custody');
    IF NOT i_find_all() THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
END $$;

-- What is said of a party and what arrives of theirs wait for each other: always group, then number, and before any log entry.
CREATE FUNCTION lock_party(of_group uuid, of_hash bytea) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
BEGIN
    IF of_group IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('klartone.group.' || of_group, 0));
    END IF;
    IF of_hash IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('klartone.number.' || encode(of_hash, 'hex'), 0));
    END IF;
END $$;

-- Case handlers and data protection do what they may by a key that they have proved, not by a role alone.
CREATE FUNCTION i_have_a_key() RETURNS boolean LANGUAGE sql STABLE
    RETURN my_keys('documentation') <> '{}' OR i_find_all();

-- Whether who asks finds this recording: as the policy `seen` on recordings has it. And whether they may search for it by number.
CREATE FUNCTION i_see(r recordings) RETURNS boolean LANGUAGE sql STABLE
    RETURN (i_made(r.person, r.agent, r.opened_at) AND r.opened_at >= own_since())
        OR i_find_all() OR r.opened_by && my_keys('custody')
        OR (r.opened_by && my_keys('documentation') AND lives_for(r, 'documentation'))
        OR (r.opened_by && my_keys('training') AND lives_for(r, 'training') AND led(r.line, r.agent) && my_led());

CREATE FUNCTION i_see_by_number(r recordings) RETURNS boolean LANGUAGE sql STABLE
    RETURN i_find_all() OR r.opened_by && my_keys('custody')
        OR (r.opened_by && my_keys('documentation') AND lives_for(r, 'documentation'));

-- What the tables are at; which version of the program has made the functions, and the oldest that they still serve (`living.py`).
CREATE FUNCTION schema_stands() RETURNS TABLE (step text, program text, serves text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT version_num, ':program', ':serves' FROM alembic_version
$$;

CREATE FUNCTION b64(raw bytea) RETURNS text LANGUAGE sql IMMUTABLE RETURN replace(encode(raw, 'base64'), E'\n', '');
