-- What a desk makes grow is limited: each row counts for its day. `TG_ARGV`: what it is, and how many a day.
CREATE FUNCTION rows_limited() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    of_desk uuid := (SELECT desk FROM asking());
BEGIN
    -- Nobody asks: a restored database is told what it has lost.
    IF of_desk IS NOT NULL AND rated(of_desk, TG_ARGV[0], 'day', 1) > TG_ARGV[1]::bigint THEN
        RAISE EXCEPTION 'too much' USING ERRCODE = 'KT429';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION note_bytes_limited() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    of_desk uuid := (SELECT desk FROM asking());
BEGIN
    IF of_desk IS NOT NULL AND rated(of_desk, 'note bytes a day', 'day', length(NEW.sealed)) > 16 << 20 THEN
        RAISE EXCEPTION 'too much' USING ERRCODE = 'KT429';
    END IF;
    RETURN NULL;
END $$;

-- As before; and a month that has not begun, or that the sweep forgets, is not taken in. 10,000 rows are no desk's.
CREATE OR REPLACE FUNCTION tallies_put(told jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    last text := to_char(statement_timestamp() AT TIME ZONE 'UTC' + interval '1 day', 'YYYY-MM');
    first text := to_char(statement_timestamp() AT TIME ZONE 'UTC' - interval '1 year', 'YYYY-MM');
BEGIN
    IF EXISTS (SELECT FROM jsonb_to_recordset(told) AS t (agent text) WHERE NOT address(t.agent) = ANY (who.agents)) THEN
        RAISE EXCEPTION 'not your calls' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO sample_tallies (desk, line, agent, span, what, count)
        SELECT who.desk, t.line, address(t.agent), t.month, t.what, max(t.count)
        FROM jsonb_to_recordset(told) AS t (line text, agent text, month text, what text, count bigint)
        WHERE left(t.month, 7) BETWEEN first AND last GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (line, agent, span, what, desk) DO UPDATE SET count = excluded.count;
    IF (SELECT count(*) FROM sample_tallies s WHERE s.desk = who.desk) > 10000 THEN
        RAISE EXCEPTION 'too much' USING ERRCODE = 'KT429';
    END IF;
END $$;

-- As before; and each takes away some that are past: whoever has no token at all can write one.
CREATE OR REPLACE FUNCTION proof_new(proof bytea, until timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    new boolean;
BEGIN
    INSERT INTO proofs VALUES ($1, $2) ON CONFLICT DO NOTHING;
    new := FOUND;
    DELETE FROM proofs p WHERE p.proof IN (
        SELECT o.proof FROM proofs o WHERE o.until <= statement_timestamp() ORDER BY o.until LIMIT 20 FOR UPDATE SKIP LOCKED);
    RETURN new;
END $$;

GRANT EXECUTE ON FUNCTION rows_limited(), note_bytes_limited() TO klartone_owner; -- for the triggers that it makes
