-- In the transaction of `review_share`. None: it is shared no longer, or by a desk that does not vouch yet.
CREATE FUNCTION review_vouch(of uuid, said text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need_review(of);
    UPDATE reviews v SET vouched = CASE WHEN v.shared THEN said END WHERE v.recording = of;
END $$;

GRANT EXECUTE ON FUNCTION review_vouch(uuid, text) TO klartone_service;
