-- What a recording's row says of its purposes, holds and wraps is computed here, whoever changes them.

-- One plan serves them all: to plan it anew takes longer than it runs.
CREATE FUNCTION settle(these uuid[]) RETURNS void LANGUAGE plpgsql
    SET search_path = klartone, pg_temp SET plan_cache_mode = force_generic_plan AS $$
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

CREATE FUNCTION settled() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM settle(array_agg(DISTINCT recording)) FROM changed HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION settled_one() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM settle(ARRAY [NEW.recording]);
    RETURN NULL;
END $$;
