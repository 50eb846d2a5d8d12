CREATE OR REPLACE FUNCTION session_open(
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
        AND EXISTS (SELECT FROM people p WHERE p.person = machine.person AND p.issuer = '') THEN
        UPDATE desks d SET person = who WHERE d.desk = $8 RETURNING * INTO machine;
        UPDATE sessions s SET ended_at = statement_timestamp() WHERE s.desk = $8 AND s.ended_at IS NULL;
        PERFORM note('desk_moved', 'G11', '', NULL, jsonb_build_object('desk', $8));
    END IF;
    IF machine.desk IS NULL OR machine.thumbprint <> $10 OR machine.person <> who OR machine.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'another desk' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO sessions (session, token_hash, refresh_hash, person, desk, roles, agents, expires_at, refresh_until)
        VALUES ($1, $2, $3, who, $8, $6, addresses($7), statement_timestamp() + $11, statement_timestamp() + $12);
    PERFORM note('signed_in', 'G11', '', NULL, jsonb_build_object('desk', $8, 'roles', $6));
    RETURN who;
END $$;

-- A withdrawal reaches what arrives later, so it is kept as long as anything that began before it could live. Returns how many went.
CREATE FUNCTION withdrawals_forget() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    longest interval := (SELECT max(t.retention::interval) FROM policy_terms t);
    went bigint;
BEGIN
    DELETE FROM withdrawals w WHERE w.at + longest + interval '31 days' <= statement_timestamp();
    GET DIAGNOSTICS went = ROW_COUNT;
    RETURN went;
END $$;
GRANT EXECUTE ON FUNCTION withdrawals_forget() TO klartone_sweeper;
