-- Signing in: for the login that does it, which reads no recording. The service's own login opens no session.

-- The entries say whose session it is.
CREATE FUNCTION session_open(
    session uuid, token_hash bytea, refresh_hash bytea, issuer text, subject text, roles text[], agents text[],
    desk uuid, desk_key bytea, thumbprint text, lives interval, refreshes interval
) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who uuid;
    machine desks;
BEGIN
    INSERT INTO people (person, issuer, subject) VALUES (gen_random_uuid(), $4, $5)
        ON CONFLICT (issuer, subject) DO UPDATE SET left_at = people.left_at RETURNING person INTO who;
    IF (SELECT left_at FROM people WHERE person = who) IS NOT NULL THEN
        RAISE EXCEPTION 'left' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO desks (desk, person, public_key, thumbprint) VALUES ($8, who, $9, $10) ON CONFLICT DO NOTHING;
    SELECT * INTO machine FROM desks d WHERE d.desk = $8;
    -- Somebody joined by a code before the house signed in by its directory: the desk, by the same key, is from now on theirs whom
    -- the directory names there. Nothing that the code's person could do goes on.
    IF machine.person <> who AND $4 <> '' AND machine.thumbprint = $10 AND machine.revoked_at IS NULL
        AND EXISTS (SELECT FROM people p WHERE p.person = machine.person AND p.issuer = '' AND p.left_at IS NULL) THEN
        UPDATE desks d SET person = who, was_person = d.person, moved_at = statement_timestamp() WHERE d.desk = $8 RETURNING * INTO machine;
        UPDATE sessions s SET ended_at = statement_timestamp() WHERE s.desk = $8 AND s.ended_at IS NULL;
        PERFORM note('desk_moved', 'G11', '', NULL, jsonb_build_object('of', who, 'desk', $8));
    END IF;
    IF machine.desk IS NULL OR machine.thumbprint <> $10 OR machine.person <> who OR machine.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'another desk' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO sessions (session, token_hash, refresh_hash, person, desk, roles, agents, expires_at, refresh_until)
        VALUES ($1, $2, $3, who, $8, $6, addresses($7), statement_timestamp() + $11, statement_timestamp() + $12);
    PERFORM note('signed_in', 'G11', '', NULL, jsonb_build_object('of', who, 'desk', $8, 'roles', $6));
    RETURN who;
END $$;

-- With a one-time code, which is used up by it.
CREATE FUNCTION session_by_code(
    code_hash bytea, session uuid, token_hash bytea, refresh_hash bytea,
    desk uuid, desk_key bytea, thumbprint text, lives interval, refreshes interval
) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    code codes;
    who uuid;
BEGIN
    UPDATE codes c SET used_at = statement_timestamp()
        WHERE c.code_hash = $1 AND c.used_at IS NULL AND c.expires_at > statement_timestamp() RETURNING * INTO code;
    IF code.code_hash IS NULL THEN
        RAISE EXCEPTION 'no such code' USING ERRCODE = 'KT401';
    END IF;
    -- The same person's machine joins again, with a new key; what it had before stays ended.
    UPDATE desks d SET revoked_at = NULL, left_by_itself = false, public_key = $6, thumbprint = $7 FROM people p
        WHERE d.desk = $5 AND d.revoked_at IS NOT NULL AND p.person = d.person AND p.issuer = '' AND p.subject = code.subject;
    -- Whoever had left under this name is back, without the keys and the calls from before: whoever has the link may be another. Whom
    -- the directory names so is somebody else.
    UPDATE people p SET left_at = NULL, returned_at = statement_timestamp()
        WHERE p.issuer = '' AND p.subject = code.subject AND p.left_at IS NOT NULL RETURNING p.person INTO who;
    IF who IS NOT NULL THEN
        PERFORM note('person_returned', 'G11', '', NULL, jsonb_build_object('of', who));
    END IF;
    who := session_open($2, $3, $4, '', code.subject, code.roles, code.agents, $5, $6, $7, $8, $9);
    DELETE FROM person_keys k WHERE k.person = who;
    RETURN who;
END $$;

-- The refresh token is used up by it, and comes again where its answer was lost, or two asked at once: it makes another session
-- for a minute, and after that until a session that it made goes on. Then somebody has the desk's key too: all its sessions end.
CREATE FUNCTION session_renew(
    refresh_hash bytea, thumbprint text, session uuid, token_hash bytea, new_refresh_hash bytea, lives interval, refreshes interval
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    old sessions;
    by_code boolean;
BEGIN
    -- The desk first, as who revokes it does.
    PERFORM FROM desks d WHERE d.thumbprint = $2 AND d.revoked_at IS NULL FOR NO KEY UPDATE;
    SELECT s.* INTO old FROM sessions s JOIN desks d USING (desk) JOIN people p ON p.person = s.person
        WHERE s.refresh_hash = $1 AND d.thumbprint = $2 AND d.revoked_at IS NULL AND p.left_at IS NULL
            AND s.refresh_until > statement_timestamp() FOR UPDATE OF s;
    IF old.session IS NULL THEN
        RETURN false;
    END IF;
    IF old.ended_at IS NOT NULL AND (old.renewed_at IS NULL OR (old.renewed_at < statement_timestamp() - interval '1 minute'
            AND EXISTS (SELECT FROM sessions s WHERE s.renews = old.session AND s.ended_at IS NOT NULL))) THEN
        UPDATE sessions s SET ended_at = statement_timestamp() WHERE s.desk = old.desk AND s.ended_at IS NULL;
        PERFORM note('refresh_refused', 'G11', '', NULL, jsonb_build_object('desk', old.desk));
        RETURN false;
    END IF;
    UPDATE sessions s SET ended_at = coalesce(s.ended_at, statement_timestamp()),
        renewed_at = coalesce(s.renewed_at, statement_timestamp()) WHERE s.session = old.session;
    -- Whom the house's directory has signed in, it signs in again: it may have taken their roles away.
    SELECT p.issuer = '' INTO by_code FROM people p WHERE p.person = old.person;
    INSERT INTO sessions (session, token_hash, refresh_hash, person, desk, roles, agents, expires_at, refresh_until, renews)
        VALUES ($3, $4, $5, old.person, old.desk, old.roles, old.agents, statement_timestamp() + $6,
            CASE WHEN by_code THEN statement_timestamp() + $7 ELSE least(old.refresh_until, statement_timestamp() + $7) END,
            old.session);
    RETURN true;
END $$;

-- Whose session it is, and what key its tokens are bound to: the service checks the proof before it answers. No row: nobody's.
CREATE FUNCTION who_asks() RETURNS TABLE (
    person uuid, desk uuid, thumbprint text, roles text[], agents text[], expires_at timestamptz
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := asking();
BEGIN
    RETURN QUERY SELECT who.person, d.desk, d.thumbprint, who.roles, who.agents, who.expires_at FROM desks d WHERE d.desk = who.desk;
END $$;

CREATE FUNCTION session_end() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody', 'it');
BEGIN
    UPDATE sessions SET ended_at = statement_timestamp() WHERE session = who.session;
END $$;

-- By itself (`klartone leave`), by IT, or on the server (`klartone team revoke`).
CREATE FUNCTION desk_revoke(of uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions;
BEGIN
    IF session_user <> 'klartone_migrator' THEN
        who := need('agent', 'case_handler', 'lead', 'custody', 'it');
    END IF;
    UPDATE desks SET revoked_at = statement_timestamp(), left_by_itself = desk IS NOT DISTINCT FROM who.desk
        WHERE desk = of AND revoked_at IS NULL AND (desk = who.desk OR 'it' = ANY (who.roles) OR who.session IS NULL);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE sessions SET ended_at = statement_timestamp() WHERE desk = of AND ended_at IS NULL;
    PERFORM note(CASE WHEN of = who.desk THEN 'desk_left' ELSE 'desk_revoked' END, 'G11', '', NULL, jsonb_build_object('desk', of));
    RETURN true;
END $$;

-- `person_left` is a desk's: somebody has left a call.
CREATE FUNCTION person_leaves(of uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF session_user <> 'klartone_migrator' THEN
        PERFORM need('it');
    END IF;
    UPDATE people SET left_at = statement_timestamp() WHERE person = of AND left_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE sessions SET ended_at = statement_timestamp() WHERE person = of AND ended_at IS NULL;
    DELETE FROM person_keys WHERE person = of;
    -- Of that name, whoever was meant: one that was a namesake's is made again.
    UPDATE codes c SET used_at = statement_timestamp() FROM people p
        WHERE p.person = of AND c.subject = p.subject AND c.used_at IS NULL;
    PERFORM note('person_departed', 'G11', '', NULL, jsonb_build_object('of', of));
    RETURN true;
END $$;

-- By the login that migrates: whom the directory names comes in again by it, and by no link. Nothing from before is theirs.
CREATE FUNCTION person_returns(of uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    UPDATE people SET left_at = NULL, returned_at = statement_timestamp() WHERE person = of AND left_at IS NOT NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM note('person_returned', 'G11', '', NULL, jsonb_build_object('of', of));
    RETURN true;
END $$;

-- On the server, by the login that migrates: who makes one gives any role, and whoever uses it is let back under its name.
CREATE FUNCTION code_make(code_hash bytea, subject text, roles text[], agents text[], lives interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    INSERT INTO codes (code_hash, subject, roles, agents, expires_at)
        VALUES ($1, $2, $3, $4, statement_timestamp() + $5);
    PERFORM note('code_made', 'G11', '', NULL, jsonb_build_object('roles', $3));
END $$;

-- By the login that signs in: it has sealed a nonce to this key, and tells its hash. The policy must name the key.
CREATE FUNCTION key_challenge(of_role text, of_key text, of_nonce_hash bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need(CASE of_role
        WHEN 'documentation' THEN 'case_handler' WHEN 'training' THEN 'lead' ELSE 'custody' END);
BEGIN
    IF NOT EXISTS (SELECT FROM policy_keys k WHERE k.number = newest_policy() AND k.role = of_role AND k.key_id = of_key) THEN
        RAISE EXCEPTION 'the policy does not name it' USING ERRCODE = 'KT422';
    END IF;
    INSERT INTO key_challenges VALUES (who.person, of_role, of_key, of_nonce_hash, statement_timestamp() + interval '2 minutes')
        ON CONFLICT (person, role, key_id) DO UPDATE SET nonce_hash = excluded.nonce_hash, until = excluded.until;
END $$;

-- To whom the login that signs in seals a nonce. Null: the newest policy does not name it.
CREATE FUNCTION key_public(of_role text, of_key text) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT k.public_key FROM policy_keys k WHERE k.number = newest_policy() AND k.role = of_role AND k.key_id = of_key
$$;

-- Whoever has the key could read the nonce. Without a challenge there is nothing to answer, and one key is proved while the newest
-- policy names it.
CREATE FUNCTION key_proved(of_role text, of_key text, nonce bytea) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need(CASE of_role
        WHEN 'documentation' THEN 'case_handler' WHEN 'training' THEN 'lead' ELSE 'custody' END);
BEGIN
    -- One answer a challenge, right or wrong.
    DELETE FROM key_challenges c WHERE c.person = who.person AND c.role = of_role AND c.key_id = of_key
        AND c.until > statement_timestamp() AND c.nonce_hash = sha256(nonce);
    -- A policy may have dropped the key meanwhile.
    IF NOT FOUND OR NOT EXISTS (SELECT FROM policy_keys p
            WHERE p.number = newest_policy() AND p.role = of_role AND p.key_id = of_key) THEN
        DELETE FROM key_challenges c WHERE c.person = who.person AND c.role = of_role AND c.key_id = of_key;
        PERFORM note('key_refused', 'G11', '', NULL, jsonb_build_object('role', of_role));
        RETURN false;
    END IF;
    INSERT INTO person_keys (person, role, key_id) VALUES (who.person, of_role, of_key) ON CONFLICT DO NOTHING;
    PERFORM note('key_proved', 'G11', '', NULL, jsonb_build_object('role', of_role, 'key', left(of_key, 16)));
    RETURN true;
END $$;

CREATE FUNCTION desk_seen(of_program text, of_waiting integer, of_failed text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody', 'it');
BEGIN
    UPDATE desks SET program = left(of_program, 40), waiting = of_waiting, failed = left(of_failed, 80),
        seen_at = statement_timestamp() WHERE desk = who.desk;
END $$;

-- By the login that signs in: whoever opens or renews a session is there, whatever of the program it runs.
CREATE FUNCTION desk_runs(of_thumbprint text, of_program text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    UPDATE desks SET program = coalesce(nullif(left(of_program, 40), ''), program), seen_at = statement_timestamp()
        WHERE thumbprint = of_thumbprint AND revoked_at IS NULL
$$;

-- For IT: who runs which version, what waits, what failed. Nothing of a call. `signed_in`: a session goes on, or may be renewed.
CREATE FUNCTION people_figures() RETURNS TABLE (
    person uuid, subject text, left_at timestamptz, roles text[], desk uuid, program text,
    seen_at timestamptz, waiting integer, failed text, revoked_at timestamptz, left_by_itself boolean, signed_in boolean
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF session_user <> 'klartone_migrator' THEN
        PERFORM need('it');
    END IF;
    RETURN QUERY SELECT p.person, p.subject, p.left_at,
        coalesce((SELECT s.roles FROM sessions s WHERE s.desk = d.desk ORDER BY s.opened_at DESC LIMIT 1), '{}'),
        d.desk, d.program, d.seen_at, d.waiting, d.failed, d.revoked_at, d.left_by_itself,
        EXISTS (SELECT FROM sessions s WHERE s.desk = d.desk AND s.ended_at IS NULL AND s.refresh_until > statement_timestamp())
        FROM people p LEFT JOIN desks d USING (person) WHERE p.issuer <> 'forgotten' ORDER BY p.subject, d.joined_at;
END $$;
