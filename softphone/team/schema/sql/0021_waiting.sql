-- How many training recordings nobody has reviewed yet, by line and the day on which they end: counts alone, of all teams. What a
-- hold keeps out of training counts, since it comes back with the lifting.
CREATE FUNCTION sample_waiting() RETURNS TABLE (line text, expires_on date, number bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need('agent');
    RETURN QUERY SELECT r.line, p.expires_on, count(*) FROM purposes p JOIN recordings r USING (recording)
        WHERE p.purpose = 'training' AND p.stands = 'keeps' AND p.reviewed_at IS NULL AND p.lives_until > statement_timestamp()
            AND p.expires_on IS NOT NULL AND r.line IS NOT NULL
        GROUP BY 1, 2 ORDER BY 1, 2;
END $$;
GRANT EXECUTE ON FUNCTION sample_waiting() TO klartone_service;
