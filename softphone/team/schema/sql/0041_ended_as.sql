-- How and why purposes of one's own desk's recording have ended here: the copy at the desk is opened for them no more.
CREATE FUNCTION purposes_ended_as(of uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(p.purpose, jsonb_build_array(p.stands, coalesce(p.reason, ''))), '{}')
        FROM purposes p JOIN recordings r USING (recording)
        WHERE r.recording = of AND r.desk = my_desk() AND p.stands <> 'keeps'
$$;
REVOKE EXECUTE ON FUNCTION purposes_ended_as(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION purposes_ended_as(uuid) TO klartone_service;
