-- What the service says of storage is not the last word: it does it at once, and the sweep looks after it by its own login.

-- To the service, those of which it has not said that they lie there; to the sweep, those that it has not laid itself.
CREATE OR REPLACE FUNCTION stones_take(most integer) RETURNS TABLE (what text, id text, at timestamptz, told jsonb)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF session_user = 'klartone_service' THEN
        RETURN QUERY UPDATE stones t SET offered_at = statement_timestamp() FROM (
            SELECT s.what, s.id, s.at FROM stones s WHERE s.written_at IS NULL AND s.laid_at IS NULL
                AND (s.offered_at IS NULL OR s.offered_at <= statement_timestamp() - interval '1 minute')
                ORDER BY s.at LIMIT most FOR UPDATE SKIP LOCKED) taken
            WHERE (t.what, t.id, t.at) = (taken.what, taken.id, taken.at) RETURNING t.what, t.id, t.at, t.told;
        RETURN;
    END IF;
    RETURN QUERY UPDATE stones t SET tried_at = statement_timestamp() FROM (
        SELECT s.what, s.id, s.at FROM stones s WHERE s.written_at IS NULL
            AND (s.tried_at IS NULL OR s.tried_at <= statement_timestamp() - interval '1 minute')
            ORDER BY s.at LIMIT most FOR UPDATE SKIP LOCKED) taken
        WHERE (t.what, t.id, t.at) = (taken.what, taken.id, taken.at) RETURNING t.what, t.id, t.at, t.told;
END $$;

CREATE OR REPLACE FUNCTION stone_written(of_what text, of_id text, of_at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    UPDATE stones s SET laid_at = coalesce(s.laid_at, statement_timestamp()),
            written_at = CASE WHEN session_user = 'klartone_sweeper' THEN statement_timestamp() ELSE s.written_at END
        WHERE (s.what, s.id, s.at) = (of_what, of_id, of_at)
$$;
