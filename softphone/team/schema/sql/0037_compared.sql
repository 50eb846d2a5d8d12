CREATE FUNCTION compared_note(this text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    INSERT INTO compared (which) VALUES (this) ON CONFLICT (alone) DO UPDATE SET which = excluded.which
$$;

-- For whoever signs in: that process has no key to storage, and opens no session in a database that may have forgotten an end.
CREATE FUNCTION is_compared(this text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT EXISTS (SELECT FROM compared c WHERE c.which = this)
$$;
REVOKE EXECUTE ON FUNCTION compared_note(text), is_compared(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION compared_note(text) TO klartone_service;
GRANT EXECUTE ON FUNCTION is_compared(text) TO klartone_signin;
