CREATE FUNCTION schema_step() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT version_num FROM alembic_version
$$;
GRANT EXECUTE ON FUNCTION schema_step() TO klartone_service, klartone_signin;
