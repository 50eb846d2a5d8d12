-- Which purposes of one's own desk's recording have ended here: the copy at the desk is opened for them no more.
CREATE FUNCTION purposes_ended(of uuid) RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT coalesce(array_agg(p.purpose ORDER BY p.purpose), '{}') FROM purposes p JOIN recordings r USING (recording)
        WHERE r.recording = of AND r.desk = my_desk() AND p.stands <> 'keeps'
$$;
REVOKE EXECUTE ON FUNCTION purposes_ended(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION purposes_ended(uuid) TO klartone_service;
