-- A database that was restored learns from storage what it has forgotten. It can only become less by it, or held. And what ended, or
-- was held, since a backup meets a recording or a note that comes again from its desk.

-- Which of these, that storage has, are none of the database's: [{key, at, tail}], as storage names them.
CREATE FUNCTION stones_unknown(these jsonb) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT t.key FROM jsonb_to_recordset(these) AS t (key text, at timestamptz, tail text)
        WHERE NOT EXISTS (SELECT FROM stones s WHERE s.at = t.at
                AND s.what || '-' || left(encode(sha256(convert_to(s.id, 'UTF8')), 'hex'), 32) = t.tail)
            AND NOT EXISTS (SELECT FROM tombstones s WHERE s.at = t.at
                AND 'recording-' || left(encode(sha256(convert_to(s.recording::text, 'UTF8')), 'hex'), 32) = t.tail)
$$;

-- Also of one that was learnt from storage, at another moment.
CREATE FUNCTION tombstone_known(of uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT EXISTS (SELECT FROM tombstones s WHERE s.recording = of)
$$;

-- Of these, what is here: whether it is held, and whether its day has not come.
CREATE FUNCTION restoring_would(these uuid[]) RETURNS TABLE (recording uuid, held boolean, early boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT r.recording, r.held, greatest(r.documentation_until, r.training_until, r.waits_until) > statement_timestamp()
        FROM recordings r WHERE r.recording = ANY (these) ORDER BY r.recording
$$;

-- A person whom the database does not know any more: what they did counts, and they have left.
CREATE FUNCTION person_known(of uuid) RETURNS void LANGUAGE sql SET search_path = klartone, pg_temp AS $$
    INSERT INTO people (person, issuer, subject, left_at) VALUES (of, 'restored', of::text, statement_timestamp()) ON CONFLICT DO NOTHING
$$;

-- One that was learnt from storage does to the rows what its own row had done to them.
CREATE FUNCTION stone_meets(of_what text, of_id text, told jsonb) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    of uuid := (told ->> 'recording')::uuid;
    one withdrawals;
    number remembered;
    its holds;
    reached uuid;
BEGIN
    CASE of_what
        WHEN 'purposes' THEN
            -- A review may have brought its end nearer.
            UPDATE purposes p SET ends_at = (told ->> 'ends_at')::timestamptz, expires_on = (told ->> 'expires_on')::date
                WHERE p.recording = of AND p.purpose = told ->> 'purpose' AND p.stands = 'keeps'
                    AND (told ->> 'ends_at')::timestamptz < coalesce(p.ends_at, 'infinity');
            IF told ->> 'stands' <> 'keeps' THEN
                PERFORM purposes_end(ARRAY [of], ARRAY [told ->> 'purpose'], told ->> 'stands', told ->> 'reason');
                PERFORM erase_unless_kept(of, coalesce(told ->> 'reason', 'restored'));
            END IF;
        WHEN 'recordings' THEN
            IF told ->> 'restricted' IS NOT NULL THEN
                UPDATE recordings SET restricted = told ->> 'restricted' WHERE recording = of;
                DELETE FROM wraps WHERE recording = of AND role <> 'custody';
            END IF;
        WHEN 'holds' THEN
            its := jsonb_populate_record(NULL::holds, told);
            IF its.lifted_at IS NULL AND EXISTS (SELECT FROM recordings r WHERE r.recording = of) THEN
                UPDATE holds h SET hold = h.hold || '-' || floor(extract(epoch FROM clock_timestamp()) * 1000)::text
                    WHERE h.hold = its.hold AND h.lifted_at IS NOT NULL;
                INSERT INTO holds SELECT its.* ON CONFLICT DO NOTHING;
                IF FOUND THEN
                    INSERT INTO hold_words (hold, raised_by, why) VALUES (its.hold, 'restored', 'restored');
                    DELETE FROM wraps w WHERE w.recording = of AND w.role = 'training';
                END IF;
            ELSE
                -- Its end brings no keys back: custody seals anew what is to be heard again.
                UPDATE holds SET lifted_at = its.lifted_at WHERE hold = its.hold AND lifted_at IS NULL;
                IF FOUND THEN
                    PERFORM erase_unless_kept(of, 'hold_lifted');
                END IF;
            END IF;
        WHEN 'call_notes' THEN
            UPDATE call_notes SET erased_at = (told ->> 'erased_at')::timestamptz, number_hash = NULL WHERE call = of_id::uuid;
            DELETE FROM call_note_seals WHERE call = of_id::uuid;
        WHEN 'withdrawals' THEN
            one := jsonb_populate_record(NULL::withdrawals, told);
            PERFORM lock_party(one.call_group, one.number_hash);
            PERFORM person_known(one.person);
            INSERT INTO withdrawals SELECT one.* ON CONFLICT DO NOTHING;
            FOR reached IN SELECT r.recording FROM recordings r JOIN calls c USING (call) LEFT JOIN call_numbers n USING (call)
                    WHERE c.call_group = one.call_group OR n.number_hash = one.number_hash ORDER BY r.recording LOOP
                PERFORM apply_known(reached);
                PERFORM erase_unless_kept(reached, one.reason);
            END LOOP;
        WHEN 'remembered' THEN
            number := jsonb_populate_record(NULL::remembered, told);
            PERFORM lock_party(NULL, number.number_hash);
            INSERT INTO remembered SELECT number.* ON CONFLICT (number_hash, what, line, purpose) DO UPDATE
                SET value = CASE WHEN excluded.told_at >= remembered.told_at THEN excluded.value ELSE remembered.value END,
                    told_at = greatest(remembered.told_at, excluded.told_at), at = least(remembered.at, excluded.at),
                    until = greatest(remembered.until, excluded.until);
        WHEN 'policies' THEN
            NULL; -- The service refuses without it: `policy_lost`.
        WHEN 'desks' THEN
            UPDATE desks SET revoked_at = (told ->> 'revoked_at')::timestamptz
                WHERE desk = (told ->> 'desk')::uuid AND revoked_at IS NULL AND told ->> 'revoked_at' IS NOT NULL;
        WHEN 'people' THEN
            UPDATE people SET left_at = (told ->> 'left_at')::timestamptz WHERE person = (told ->> 'person')::uuid AND left_at IS NULL;
            UPDATE people SET returned_at = greatest(returned_at, (told ->> 'returned_at')::timestamptz)
                WHERE person = (told ->> 'person')::uuid;
    END CASE;
END $$;

-- One of them, by its time: the older first. What lies there already changes nothing. Whether it was unknown. `counts`: no later one
-- of the same row is there.
CREATE FUNCTION stone_apply(of_what text, of_id text, of_at timestamptz, told jsonb, counts boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    INSERT INTO stones VALUES (of_what, of_id, of_at, told, statement_timestamp()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF counts THEN
        PERFORM stone_meets(of_what, of_id, told);
    END IF;
    RETURN true;
END $$;

-- A recording that arrives again after a restore: what had ended, was held or restricted in the lost time. The newest of each counts;
-- those that its own arrival lays now are not in storage yet.
CREATE FUNCTION stones_meet(of uuid) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT DISTINCT ON (s.what, s.id) s.what, s.id, s.told FROM stones s
            WHERE s.told ->> 'recording' = of::text AND s.what IN ('purposes', 'recordings', 'holds') AND s.written_at IS NOT NULL
            ORDER BY s.what, s.id, s.at DESC LOOP
        PERFORM stone_meets(one.what, one.id, one.told);
    END LOOP;
END $$;

-- A head that was signed after the backup's moment: desks have seen it.
CREATE FUNCTION head_back(told jsonb) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    INSERT INTO signed_heads SELECT h.* FROM jsonb_populate_record(NULL::signed_heads, told) h ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- All of storage has been read. From here on the log goes on, and says so. What ended since the backup has no stone where somebody
-- only signed in, proved or was invited: none of it counts any more.
CREATE FUNCTION restored() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
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

CREATE FUNCTION compared_note(this text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    INSERT INTO compared (which) VALUES (this) ON CONFLICT (alone) DO UPDATE SET which = excluded.which
$$;

-- For whoever signs in: that process has no key to storage, and opens no session in a database that may have forgotten an end.
CREATE FUNCTION is_compared(this text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT EXISTS (SELECT FROM compared c WHERE c.which = this)
$$;
