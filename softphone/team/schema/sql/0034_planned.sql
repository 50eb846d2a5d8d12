-- As before, each of these. A function in SQL is planned anew in every transaction, which costs more than what it does; the plan of
-- one in PL/pgSQL is kept with its connection.
CREATE OR REPLACE FUNCTION asking() RETURNS sessions
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions;
BEGIN
    SELECT s.* INTO who FROM sessions s JOIN people p USING (person) JOIN desks d ON d.desk = s.desk
        WHERE s.token_hash = sha256(convert_to(current_setting('klartone.asking', true), 'UTF8'))
            AND s.ended_at IS NULL AND s.expires_at > statement_timestamp() AND p.left_at IS NULL AND d.revoked_at IS NULL;
    RETURN who;
END $$;

CREATE OR REPLACE FUNCTION who_asks() RETURNS TABLE (
    person uuid, desk uuid, thumbprint text, roles text[], agents text[], expires_at timestamptz
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := asking();
BEGIN
    RETURN QUERY SELECT who.person, d.desk, d.thumbprint, who.roles, who.agents, who.expires_at FROM desks d WHERE d.desk = who.desk;
END $$;

CREATE OR REPLACE FUNCTION rated(of_desk uuid, of_what text, by_unit text, more bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
DECLARE
    now_at bigint;
BEGIN
    INSERT INTO desk_rates AS r VALUES (of_desk, of_what, date_trunc(by_unit, statement_timestamp()), more)
        ON CONFLICT (desk, what) DO UPDATE SET since = excluded.since,
            count = excluded.count + CASE WHEN r.since = excluded.since THEN r.count ELSE 0 END
        RETURNING count INTO now_at;
    RETURN now_at;
END $$;

CREATE OR REPLACE FUNCTION service_head() RETURNS TABLE (number bigint, hash text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT a.number, a.hash FROM audit a WHERE a.chain = 'service' ORDER BY a.number DESC LIMIT 1;
END $$;

CREATE OR REPLACE FUNCTION day_begins(day date, zone text) RETURNS timestamptz
    LANGUAGE plpgsql STABLE SET search_path = klartone, pg_temp AS $$
BEGIN
    RETURN (SELECT min(at) FROM (SELECT (day::timestamp AT TIME ZONE zone) - back * interval '30 minutes' AS at
        FROM generate_series(0, 4) AS back) each WHERE (at AT TIME ZONE zone)::date >= day);
END $$;

CREATE OR REPLACE FUNCTION settle(these uuid[]) RETURNS void LANGUAGE plpgsql SET search_path = klartone, pg_temp AS $$
BEGIN
    UPDATE recordings r SET
        documentation_until = p.documentation_until,
        training_until = p.training_until,
        waits_until = p.waits_until,
        held = h.held,
        opened_by = coalesce((SELECT array_agg(DISTINCT w.role || ':' || w.key_id) FROM wraps w WHERE w.recording = r.recording), '{}'),
        due_at = CASE
            WHEN NOT h.held AND greatest(p.documentation_until, p.training_until, p.waits_until) = '-infinity' THEN '-infinity'
            ELSE least(p.due_at, h.due_at,
                -- Nothing but a hold keeps it from then on.
                CASE WHEN NOT h.held THEN greatest(p.documentation_until, p.training_until, p.waits_until) END)
        END
    FROM
        recordings s,
        LATERAL (
            SELECT coalesce(max(lives_until) FILTER (WHERE purpose = 'documentation'), '-infinity') AS documentation_until,
                coalesce(max(lives_until) FILTER (WHERE purpose = 'training'), '-infinity') AS training_until,
                coalesce(max(q.waits_until), '-infinity') AS waits_until,
                coalesce(min(CASE
                    WHEN stands = 'keeps' AND at_end = 'review' AND judge_until IS NOT NULL THEN judge_until
                    -- It is listed first; but what a case restricts is not judged.
                    WHEN stands = 'keeps' AND at_end = 'review' AND coalesce(s.restricted, 'hold_only') = 'hold_only' THEN NULL
                    WHEN stands = 'keeps' THEN ends_at
                END), 'infinity') AS due_at
            FROM purposes q WHERE q.recording = s.recording
        ) p,
        LATERAL (
            SELECT count(*) > 0 AS held,
                coalesce(min(provisional_until) FILTER (WHERE raised_for = 'controller'), 'infinity') AS due_at
            FROM holds g WHERE g.recording = s.recording AND lifted_at IS NULL
        ) h
    WHERE s.recording = ANY (these) AND r.recording = s.recording;
END $$;

-- Who asks, and whether they may now: `new`; `used`: the proof was shown before; `many`: their desk has asked for this `most` times
-- within the minute; `elsewhere`: the token is bound to another key than the one that was shown. No row: nobody whose session lives.
CREATE FUNCTION request_asked(proof bytea, until timestamptz, of_what text, most bigint, shown text) RETURNS TABLE (
    person uuid, desk uuid, thumbprint text, roles text[], agents text[], expires_at timestamptz, may text
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who record;
BEGIN
    SELECT * INTO who FROM who_asks();
    IF who.person IS NULL THEN
        RETURN;
    END IF;
    IF who.thumbprint = shown THEN
        may := request_new(proof, until, of_what, most);
    ELSE
        PERFORM audit_note('token_elsewhere_refused', 'G11', '', NULL, '{}');
        may := 'elsewhere';
    END IF;
    RETURN QUERY SELECT who.person, who.desk, who.thumbprint, who.roles, who.agents, who.expires_at, may;
END $$;

GRANT EXECUTE ON FUNCTION request_asked(bytea, timestamptz, text, bigint, text) TO klartone_service, klartone_signin;
GRANT EXECUTE ON FUNCTION settled_one() TO klartone_owner; -- for the trigger that it makes
