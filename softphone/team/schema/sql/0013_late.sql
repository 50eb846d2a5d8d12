-- What an agent hears after an own call has arrived: an objection, or grounds against training. Custody decides it; until then only
-- custody opens it, or training is out. `of_whole`: nothing but training was there. Returns the call's zone; none: it is not here.
CREATE FUNCTION case_told(of uuid, of_kind text, of_whole boolean) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    row recordings;
BEGIN
    SELECT r.* INTO row FROM recordings r WHERE r.recording = of AND r.desk = who.desk AND r.agent = ANY (who.agents) FOR UPDATE;
    IF row.recording IS NULL OR of_kind NOT IN ('objection', 'grounds_given') THEN
        RETURN NULL;
    END IF;
    IF of_whole THEN
        DELETE FROM wraps w WHERE w.recording = of AND w.role <> 'custody';
        UPDATE recordings r SET restricted = of_kind WHERE r.recording = of AND r.restricted IS NULL;
    ELSE
        PERFORM purposes_end(ARRAY [of], ARRAY ['training'], 'taken_back', of_kind);
    END IF;
    RETURN (SELECT c.time_zone FROM calls c WHERE c.call = row.call);
END $$;

GRANT EXECUTE ON FUNCTION case_told(uuid, text, boolean) TO klartone_service;
