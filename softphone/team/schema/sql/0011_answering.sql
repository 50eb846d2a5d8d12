-- Comments in the call's order, each with what is sealed for whoever asks.
CREATE OR REPLACE FUNCTION comments_for(r recordings, for_role text, for_keys text[]) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'comment', c.comment, 'sample', c.sample, 'answers', c.answers, 'at', c.at,
        'mine', c.person = my_person(),
        -- Whoever had the call, at whichever desk of theirs.
        'of_agent', c.person = (SELECT d.person FROM desks d WHERE d.desk = r.desk) OR EXISTS (SELECT FROM sessions s
            WHERE s.person = c.person AND 'agent' = ANY (s.roles) AND r.agent = ANY (s.agents)),
        'keys', training_keys_of(c.person),
        'seal', (SELECT jsonb_build_object('key_id', s.key_id, 'suite', s.suite, 'sealed', b64(s.sealed))
            FROM comment_seals s WHERE s.comment = c.comment AND s.role = for_role AND s.key_id = ANY (for_keys) LIMIT 1)
    ) ORDER BY c.sample, c.at, c.comment), '[]') FROM review_comments c WHERE c.recording = r.recording
$$;
