-- Where the file of a recording lies that who asks may hear now, in whichever role. No row: they may not, or there is none.
CREATE FUNCTION recording_file(of uuid) RETURNS TABLE (object_key text, object_version text, size bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    keys text[] := my_keys();
BEGIN
    PERFORM need('agent', 'case_handler', 'lead', 'custody', 'it');
    RETURN QUERY SELECT r.object_key, r.object_version, r.size FROM recordings r WHERE r.recording = of
        AND EXISTS (SELECT FROM wraps w WHERE w.recording = of AND w.role || ':' || w.key_id = ANY (keys)
            AND lives_for(r, w.role) AND (w.role <> 'training' OR i_lead(r.line, r.agent)));
END $$;

GRANT EXECUTE ON FUNCTION recording_file(uuid) TO klartone_service;
