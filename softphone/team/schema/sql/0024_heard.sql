-- What an agent hears after an own call has arrived: an objection, or grounds against training. Nothing is restricted without a case
-- that custody can decide. `of_case`: the desk's id, which makes it the same when it is told again, also once it is decided. Another
-- id is another objection: the party may object again. `of_whole`: nothing but training was there. False: it is not here.
CREATE FUNCTION case_heard(of_case uuid, of uuid, of_kind text, of_whole boolean, of_received_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    row recordings;
    zone text;
    received timestamptz;
    day date;
    made bigint;
BEGIN
    SELECT r.* INTO row FROM recordings r WHERE r.recording = of AND r.desk = who.desk AND r.agent = ANY (who.agents) FOR UPDATE;
    IF row.recording IS NULL OR of_kind NOT IN ('objection', 'grounds_given') THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM case_recordings o WHERE o.recording = of AND of_case = ANY (o.heard)) THEN
        RETURN true;
    END IF;
    -- A desk that was away for long tells of it with the recording.
    IF greatest(row.opened_at, row.arrived_at) < own_since() THEN
        RAISE EXCEPTION 'not your call any more' USING ERRCODE = 'KT403';
    END IF;
    UPDATE case_recordings o SET heard = o.heard || of_case FROM cases c
        WHERE c.number = o.number AND c.kind = of_kind AND o.recording = of AND o.decision IS NULL;
    IF NOT FOUND THEN
        SELECT c.time_zone INTO zone FROM calls c WHERE c.call = row.call;
        received := least(greatest(of_received_at, row.opened_at), statement_timestamp());
        -- As `softphone.domain.retention.ANSWER_WITHIN` has it.
        day := ((received AT TIME ZONE zone)::date + interval '1 month')::date;
        INSERT INTO cases (kind, received_at, received_how, received_by, identity, deadline, overdue_at)
            VALUES (of_kind, received, 'call', who.person, '{}', day, day_begins(day + 1, zone)) RETURNING number INTO made;
        INSERT INTO case_recordings (number, recording, heard) VALUES (made, of, ARRAY [of_case]);
        PERFORM note('case_opened', CASE of_kind WHEN 'grounds_given' THEN 'G32' ELSE 'G23' END, row.call::text, of,
            jsonb_build_object('case', made, 'kind', of_kind));
    END IF;
    IF of_whole THEN
        DELETE FROM wraps w WHERE w.recording = of AND w.role <> 'custody';
        UPDATE recordings r SET restricted = of_kind WHERE r.recording = of AND r.restricted IS NULL;
    ELSE
        PERFORM purposes_end(ARRAY [of], ARRAY ['training'], 'taken_back', of_kind);
    END IF;
    RETURN true;
END $$;
GRANT EXECUTE ON FUNCTION case_heard(uuid, uuid, text, boolean, timestamptz) TO klartone_service;

-- For services of the version before, which know no id: one case of a kind.
CREATE OR REPLACE FUNCTION case_told(of uuid, of_kind text, of_whole boolean) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
BEGIN
    PERFORM FROM recordings r WHERE r.recording = of AND r.desk = who.desk FOR UPDATE;
    IF NOT EXISTS (SELECT FROM case_recordings o JOIN cases c USING (number) WHERE o.recording = of AND c.kind = of_kind)
            AND NOT case_heard(gen_random_uuid(), of, of_kind, of_whole, statement_timestamp()) THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT c.time_zone FROM recordings r JOIN calls c USING (call)
        WHERE r.recording = of AND r.desk = who.desk AND r.agent = ANY (who.agents));
END $$;
