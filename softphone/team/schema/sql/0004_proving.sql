-- To whom the login that signs in seals a nonce. Null: the newest policy does not name it.
CREATE FUNCTION key_public(of_role text, of_key text) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT k.public_key FROM policy_keys k WHERE k.number = newest_policy() AND k.role = of_role AND k.key_id = of_key
$$;

-- As before; and `keys` may tell public halves: [{role, key_id, public_key}], the last in hex.
CREATE OR REPLACE FUNCTION policy_take(
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

-- The login that signs in also takes the answer, and so asks whose token came with it, and logs what it refuses.
GRANT EXECUTE ON FUNCTION key_public(text, text), key_proved(text, text, bytea), who_asks(), audit_note(text, text, text, uuid, jsonb)
    TO klartone_signin;
