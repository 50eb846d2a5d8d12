-- What sets a desk up: settings, notices, accounts.

CREATE FUNCTION house_settings_take(of_told text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO house_settings (told) VALUES ($1) RETURNING number INTO made;
    PERFORM note('house_settings_taken', 'G11', '', NULL, jsonb_build_object('number', made));
    RETURN made;
END $$;

-- Before the policy that names it.
CREATE FUNCTION notice_take(of_digest text, of_sound bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF encode(sha256($2), 'hex') <> $1 THEN
        RAISE EXCEPTION 'another digest' USING ERRCODE = 'KT422';
    END IF;
    INSERT INTO notice_files VALUES ($1, $2) ON CONFLICT DO NOTHING;
END $$;

-- In the transaction that takes the policy.
CREATE FUNCTION policy_notice(of_number bigint, of_name text, of_digest text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    INSERT INTO policy_notices VALUES ($1, $2, $3)
$$;

-- A password that is null leaves the one that waits.
CREATE FUNCTION account_set(of_address text, of_told jsonb, of_password bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    INSERT INTO desk_accounts (address, told, password) VALUES (address($1), $2, $3)
        ON CONFLICT (address) DO UPDATE SET told = $2, changed_at = statement_timestamp(),
            password = coalesce($3, desk_accounts.password),
            taken_by = CASE WHEN $3 IS NULL THEN desk_accounts.taken_by END;
    PERFORM note('account_set', 'G11', '', NULL, jsonb_build_object('password', $3 IS NOT NULL));
END $$;

CREATE FUNCTION account_remove(of_address text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    DELETE FROM desk_accounts a WHERE a.address = address($1);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM note('account_removed', 'G11', '', NULL, '{}');
    RETURN true;
END $$;

CREATE FUNCTION accounts_listed() RETURNS TABLE (address text, told jsonb, waits boolean, changed_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT a.address, a.told, a.password IS NOT NULL, a.changed_at FROM desk_accounts a ORDER BY a.address
$$;

-- All that may have changed for whoever asks, without what takes long: policy, settings, an agent's accounts, and which own reviews are
-- shared, the newest 1000. Of an account `waits`: a password that this desk may have. What a desk was given that is revoked, another of the agent's gets.
CREATE FUNCTION my_news() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody', 'it');
    mine text[] := CASE WHEN 'agent' = ANY (who.roles) THEN who.agents ELSE '{}' END;
    since timestamptz := mine_since();
    newest record;
BEGIN
    SELECT p.number, p.signer INTO newest FROM policies p ORDER BY p.number DESC LIMIT 1;
    RETURN jsonb_build_object(
        'policy', newest.number,
        'signer', coalesce(newest.signer, ''),
        'successions', (SELECT coalesce(jsonb_agg(jsonb_build_object('number', p.number, 'signer', p.signer,
            'succession', encode(p.succession, 'escape')) ORDER BY p.number), '[]') FROM policies p WHERE p.succession IS NOT NULL),
        'notices', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', n.name, 'digest', n.digest) ORDER BY n.name), '[]')
            FROM policy_notices n WHERE n.number = newest.number),
        'settings', (SELECT max(s.number) FROM house_settings s),
        'accounts', (SELECT coalesce(jsonb_agg(jsonb_build_object('address', a.address, 'told', a.told,
            'waits', a.password IS NOT NULL AND (a.taken_by IS NULL OR a.taken_by = who.desk
                OR EXISTS (SELECT FROM desks d WHERE d.desk = a.taken_by AND d.revoked_at IS NOT NULL))) ORDER BY a.address), '[]')
            FROM desk_accounts a WHERE a.address = ANY (mine)),
        'shared', (SELECT coalesce(jsonb_agg(s.recording ORDER BY s.recording), '[]') FROM (SELECT r.recording
            FROM recordings r JOIN reviews v USING (recording) WHERE r.person = who.person AND r.agent = ANY (mine)
                AND r.opened_at >= since AND r.training_until > '-infinity'
                AND lives_for(r, 'training') AND r.restricted IS NULL AND v.shared ORDER BY r.recording DESC LIMIT 1000) s)
    );
END $$;

-- As they lie here, sealed. The first desk that asks may ask again until it has said that it has kept them; no other may.
CREATE FUNCTION account_passwords() RETURNS TABLE (address text, password bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
BEGIN
    RETURN QUERY UPDATE desk_accounts a SET taken_by = who.desk
        WHERE a.address = ANY (who.agents) AND a.password IS NOT NULL AND (a.taken_by IS NULL OR a.taken_by = who.desk
            OR EXISTS (SELECT FROM desks d WHERE d.desk = a.taken_by AND d.revoked_at IS NOT NULL))
        RETURNING a.address, a.password;
    IF FOUND THEN
        PERFORM note('account_passwords_given', 'G11', '', NULL, jsonb_build_object('desk', who.desk));
    END IF;
END $$;

CREATE FUNCTION account_password_kept(of_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
BEGIN
    UPDATE desk_accounts a SET password = NULL, taken_by = NULL WHERE a.address = address($1) AND a.taken_by = who.desk;
END $$;
