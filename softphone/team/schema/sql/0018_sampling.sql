-- As before; but what a team names is compared as such, so that a page costs what the team's own sample is, and not the house's.

CREATE OR REPLACE FUNCTION sample_page(asked jsonb, before_at timestamptz, before uuid, most integer) RETURNS TABLE (
    recording uuid, agent text, line text, opened_at timestamptz, closed_at timestamptz, time_zone text, expires_on date,
    reviewed_at timestamptz, kept_reviewed boolean, comments bigint
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp
    SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    of_lines text[] := ARRAY (SELECT jsonb_array_elements_text(asked -> 'lines'));
    of_agents text[] := addresses(ARRAY (SELECT jsonb_array_elements_text(asked -> 'agents')));
    also text[] := ARRAY (SELECT jsonb_array_elements_text(coalesce(asked -> 'named', '[]')));
    keys text[];
BEGIN
    PERFORM need_team(of_lines, of_agents);
    keys := my_keys('training');
    -- What is shown is looked up in other tables once it is known to be on the page.
    RETURN QUERY SELECT f.recording, f.agent, f.line, f.opened_at, f.closed_at, c.time_zone, p.expires_on, p.reviewed_at,
            p.keep_reviewed IS NOT NULL, (SELECT count(*) FROM review_comments m WHERE m.recording = f.recording)
        FROM (SELECT r.* FROM recordings r JOIN purposes q ON q.recording = r.recording AND q.purpose = 'training'
            WHERE r.training_until > '-infinity' AND r.training_until > statement_timestamp() AND NOT r.held
                AND r.opened_by && keys AND of_team(r.line, r.agent, of_lines, of_agents)
                AND (of_agents = '{}' OR r.agent = ANY (of_agents)) AND (of_lines = '{}' OR r.line = ANY (of_lines))
                AND CASE asked ->> 'shown' WHEN 'waiting' THEN q.reviewed_at IS NULL WHEN 'reviewed' THEN q.reviewed_at IS NOT NULL
                    ELSE true END
                AND sample_found(r.line, r.agent, coalesce(asked ->> 'sought', ''), coalesce(asked ->> 'spoken', ''), also)
                AND r.opened_at >= coalesce((asked ->> 'since')::timestamptz, '-infinity')
                AND r.opened_at < coalesce((asked ->> 'until')::timestamptz, 'infinity')
                AND (r.opened_at, r.recording) < (coalesce(before_at, 'infinity'), coalesce(before, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
            ORDER BY r.opened_at DESC, r.recording DESC LIMIT most) f
            JOIN purposes p ON p.recording = f.recording AND p.purpose = 'training' JOIN calls c ON c.call = f.call
        ORDER BY f.opened_at DESC, f.recording DESC;
END $$;

CREATE OR REPLACE FUNCTION sample_days(asked jsonb) RETURNS TABLE (expires_on date, time_zone text, reviewed boolean, number bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp
    SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    of_lines text[] := ARRAY (SELECT jsonb_array_elements_text(asked -> 'lines'));
    of_agents text[] := addresses(ARRAY (SELECT jsonb_array_elements_text(asked -> 'agents')));
    also text[] := ARRAY (SELECT jsonb_array_elements_text(coalesce(asked -> 'named', '[]')));
    keys text[];
BEGIN
    PERFORM need_team(of_lines, of_agents);
    keys := my_keys('training');
    RETURN QUERY SELECT p.expires_on, c.time_zone, p.reviewed_at IS NOT NULL, count(*)
        FROM recordings r JOIN purposes p ON p.recording = r.recording AND p.purpose = 'training' JOIN calls c ON c.call = r.call
        WHERE r.training_until > '-infinity' AND r.training_until > statement_timestamp() AND NOT r.held
            AND r.opened_by && keys AND of_team(r.line, r.agent, of_lines, of_agents)
            AND (of_agents = '{}' OR r.agent = ANY (of_agents)) AND (of_lines = '{}' OR r.line = ANY (of_lines))
            AND sample_found(r.line, r.agent, coalesce(asked ->> 'sought', ''), coalesce(asked ->> 'spoken', ''), also)
            AND r.opened_at >= coalesce((asked ->> 'since')::timestamptz, '-infinity')
            AND r.opened_at < coalesce((asked ->> 'until')::timestamptz, 'infinity')
        GROUP BY 1, 2, 3;
END $$;
