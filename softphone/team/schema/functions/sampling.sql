-- The living training sample of the teams that somebody leads: what there is, what became of it, and how the marks went.

-- An own team's sample, as it is asked for: by lines and agents as the newest policy has them. KT403 for any other.
CREATE FUNCTION need_team(of_lines text[], of_agents text[]) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('lead');
    IF '*' = ANY (my_led()) OR EXISTS (SELECT FROM policy_teams t WHERE t.number = newest_policy()
            AND t.lines <@ of_lines AND of_lines <@ t.lines
            AND t.agents <@ addresses(of_agents) AND addresses(of_agents) <@ t.agents
            AND EXISTS (SELECT FROM unnest(t.leads) AS one (key_id) WHERE 'training:' || one.key_id = ANY (my_keys('training')))) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'another team' USING ERRCODE = 'KT403';
END $$;

-- A call of the team: an agent's on a line, where it names both. A team that names nothing has none.
CREATE FUNCTION of_team(of_line text, of_agent text, lines text[], agents text[]) RETURNS boolean LANGUAGE sql IMMUTABLE
    RETURN CASE
        WHEN agents = '{}' THEN of_line = ANY (lines)
        WHEN lines = '{}' THEN of_agent = ANY (agents)
        ELSE of_line = ANY (lines) AND of_agent = ANY (agents)
    END;

CREATE FUNCTION sample_found(of_line text, of_agent text, sought text, spoken text, named text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN sought = '' OR position(sought IN lower(of_agent)) > 0 OR position(sought IN lower(coalesce(of_line, ''))) > 0
        OR of_line = ANY (named)
        OR (spoken <> '' AND position(spoken IN translate(lower(split_part(of_agent, '@', 1)), '._-', '   ')) > 0);

-- `asked`: {lines, agents, shown, sought, spoken, named, since, until}. Newest first, behind `before_at` and `before`. What a team
-- names is compared as such, so that a page costs what the team's own sample is, and not the house's.
CREATE FUNCTION sample_page(asked jsonb, before_at timestamptz, before uuid, most integer) RETURNS TABLE (
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

-- One of them; none where it may not be heard.
CREATE FUNCTION sample_row(of uuid) RETURNS TABLE (
    recording uuid, agent text, line text, opened_at timestamptz, closed_at timestamptz, time_zone text, expires_on date,
    reviewed_at timestamptz, kept_reviewed boolean, comments bigint
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT r.recording, r.agent, r.line, r.opened_at, r.closed_at, c.time_zone, p.expires_on, p.reviewed_at,
            p.keep_reviewed IS NOT NULL, (SELECT count(*) FROM review_comments m WHERE m.recording = r.recording)
        FROM recordings r JOIN purposes p ON p.recording = r.recording AND p.purpose = 'training' JOIN calls c ON c.call = r.call
        WHERE r.recording = of AND i_review(r)
$$;

-- How many there are, by the day on which they end: few rows, however many there are.
CREATE FUNCTION sample_days(asked jsonb) RETURNS TABLE (expires_on date, time_zone text, reviewed boolean, number bigint)
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

-- Which of these may still be heard.
CREATE FUNCTION sample_living(these uuid[]) RETURNS TABLE (recording uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    keys text[];
    mine text[];
BEGIN
    PERFORM need('lead');
    keys := my_keys('training');
    mine := my_led();
    RETURN QUERY SELECT r.recording FROM recordings r WHERE r.recording = ANY (these) AND r.opened_by && keys
        AND lives_for(r, 'training') AND led(r.line, r.agent) && mine;
END $$;

-- How many training recordings nobody has reviewed yet, by line and the day on which they end: counts alone, of all teams. What a
-- hold keeps out of training counts, since it comes back with the lifting.
CREATE FUNCTION sample_waiting() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    PERFORM need('agent');
    RETURN (SELECT coalesce(jsonb_object_agg(l.line, l.days), '{}') FROM (
        SELECT d.line, jsonb_object_agg(d.expires_on, d.number) AS days FROM (
            SELECT r.line, p.expires_on, count(*) AS number FROM purposes p JOIN recordings r USING (recording)
                WHERE p.purpose = 'training' AND p.stands = 'keeps' AND p.reviewed_at IS NULL AND p.lives_until > statement_timestamp()
                    AND p.expires_on IS NOT NULL AND r.line IS NOT NULL
                GROUP BY 1, 2) d
            GROUP BY d.line) l);
END $$;

-- A desk's own counts, whole: what it told before of the same is replaced. Of its own agents alone. A month that has not begun, or
-- that the sweep forgets, is not taken in. 10,000 rows are no desk's.
CREATE FUNCTION tallies_put(told jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    who sessions := need('agent');
    last text := to_char(statement_timestamp() AT TIME ZONE 'UTC' + interval '1 day', 'YYYY-MM');
    first text := to_char(statement_timestamp() AT TIME ZONE 'UTC' - interval '1 year', 'YYYY-MM');
BEGIN
    IF EXISTS (SELECT FROM jsonb_to_recordset(told) AS t (agent text) WHERE NOT address(t.agent) = ANY (who.agents)) THEN
        RAISE EXCEPTION 'not your calls' USING ERRCODE = 'KT403';
    END IF;
    INSERT INTO sample_tallies (desk, line, agent, span, what, count)
        SELECT who.desk, t.line, address(t.agent), t.month, t.what, max(t.count)
        FROM jsonb_to_recordset(told) AS t (line text, agent text, month text, what text, count bigint)
        WHERE left(t.month, 7) BETWEEN first AND last GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (line, agent, span, what, desk) DO UPDATE SET count = excluded.count;
    IF (SELECT count(*) FROM sample_tallies s WHERE s.desk = who.desk) > 10000 THEN
        RAISE EXCEPTION 'too much' USING ERRCODE = 'KT429';
    END IF;
END $$;

-- What became of a team's sample from a month on, and on which days how many were reviewed from a day on.
CREATE FUNCTION sample_figures(of_lines text[], of_agents text[], since text, since_day text)
    RETURNS TABLE (what text, span text, number bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    theirs text[] := addresses(of_agents);
BEGIN
    PERFORM need_team(of_lines, of_agents);
    RETURN QUERY SELECT t.what, CASE t.what WHEN 'reviewed_on' THEN t.span ELSE '' END, sum(t.count)::bigint FROM sample_tallies t
        WHERE of_team(t.line, t.agent, of_lines, theirs) AND t.span >= CASE t.what WHEN 'reviewed_on' THEN since_day ELSE since END
        GROUP BY 1, 2 ORDER BY 1, 2;
END $$;

-- Counts come after the log's lock, also where the entry follows: so two at once never wait for each other.
CREATE FUNCTION tally(of uuid, of_what text, at timestamptz) RETURNS void LANGUAGE sql SET search_path = klartone, pg_temp AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('klartone.audit.service', 0));
    INSERT INTO sample_tallies (desk, line, agent, span, what, count)
        SELECT '00000000-0000-0000-0000-000000000000', coalesce(r.line, ''), r.agent,
            to_char(coalesce(at, statement_timestamp()) AT TIME ZONE c.time_zone,
                CASE of_what WHEN 'reviewed_on' THEN 'YYYY-MM-DD' ELSE 'YYYY-MM' END), of_what, 1
        FROM recordings r JOIN calls c USING (call) WHERE r.recording = of
        ON CONFLICT (line, agent, span, what, desk) DO UPDATE SET count = sample_tallies.count + 1
$$;

-- Each event when it happens, in its transaction (`softphone.archive.changes.tally`).
CREATE FUNCTION tallied() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF NEW.reviewed_at IS NOT NULL AND OLD.reviewed_at IS NULL THEN
        PERFORM tally(NEW.recording, 'reviewed', NEW.reviewed_at), tally(NEW.recording, 'reviewed_on', NEW.reviewed_at);
    END IF;
    IF OLD.stands = 'keeps' AND NEW.stands = 'expired' AND NEW.reviewed_at IS NULL THEN
        PERFORM tally(NEW.recording, 'expired_unseen', NEW.ends_at);
    ELSIF OLD.stands = 'keeps' AND NEW.stands IN ('taken_back', 'upheld')
            AND NEW.reason IN ('withdrawn', 'declined_earlier', 'objection', 'grounds_given') THEN
        PERFORM tally(NEW.recording, 'declined', NULL);
    END IF;
    RETURN NULL;
END $$;

-- Points of what has come to its end by its day or its use go into the sums of its teams. What a party took back goes into none.
CREATE FUNCTION marks_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT t.team, to_char(r.opened_at AT TIME ZONE c.time_zone, 'YYYY-MM') AS month, g.item, g.points, r.agent
        FROM gone g JOIN recordings r USING (recording) JOIN calls c USING (call)
            JOIN purposes p ON p.recording = g.recording AND p.purpose = 'training'
            JOIN policy_teams t ON t.number = newest_policy() AND of_team(r.line, r.agent, t.lines, t.agents)
        WHERE p.stands = 'expired' AND g.points > 0 ORDER BY 1, 2, 3
    LOOP
        INSERT INTO review_sums (team, month, item, calls, points) VALUES (one.team, one.month, one.item, 1, one.points)
            ON CONFLICT (team, month, item) DO UPDATE SET calls = review_sums.calls + 1, points = review_sums.points + excluded.points;
        INSERT INTO review_sum_agents (team, month, item, agent)
            SELECT s.team, s.month, s.item, one.agent FROM review_sums s
            WHERE (s.team, s.month, s.item) = (one.team, one.month, one.item) AND NOT s.told ON CONFLICT DO NOTHING;
    END LOOP;
    UPDATE review_sums s SET told = true WHERE NOT s.told
        AND (SELECT count(*) FROM review_sum_agents a WHERE (a.team, a.month, a.item) = (s.team, s.month, s.item)) >= 5;
    DELETE FROM review_sum_agents a USING review_sums s WHERE s.told AND (a.team, a.month, a.item) = (s.team, s.month, s.item);
    RETURN NULL;
END $$;

-- By the sweeper: sums of fewer than five agents once nothing living can be in them any more, and all after a year.
CREATE FUNCTION marks_forget() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    went bigint;
    more bigint;
BEGIN
    DELETE FROM review_sums WHERE month < to_char(statement_timestamp() AT TIME ZONE 'UTC' - interval '1 year', 'YYYY-MM')
        OR (NOT told AND month < to_char(statement_timestamp() AT TIME ZONE 'UTC' - interval '4 months', 'YYYY-MM'));
    GET DIAGNOSTICS went = ROW_COUNT;
    DELETE FROM sample_tallies WHERE span < CASE what
        WHEN 'reviewed_on' THEN to_char(statement_timestamp() AT TIME ZONE 'UTC' - interval '92 days', 'YYYY-MM-DD')
        ELSE to_char(statement_timestamp() AT TIME ZONE 'UTC' - interval '1 year', 'YYYY-MM') END;
    GET DIAGNOSTICS more = ROW_COUNT;
    RETURN went + more;
END $$;

-- Per agent, of living reviews alone: they fall with them (L2, L4).
CREATE FUNCTION marks_living() RETURNS TABLE (agent text, month text, item text, calls bigint, points bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    keys text[];
    mine text[];
BEGIN
    PERFORM need('lead');
    keys := my_keys('training');
    mine := my_led();
    RETURN QUERY SELECT r.agent, to_char(r.opened_at AT TIME ZONE c.time_zone, 'YYYY-MM'), s.item, count(*), sum(s.points)::bigint
        FROM review_scores s JOIN recordings r USING (recording) JOIN calls c USING (call)
        WHERE s.points > 0 AND r.opened_by && keys AND lives_for(r, 'training') AND led(r.line, r.agent) && mine
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
END $$;

-- Of own teams, once five agents are in it.
CREATE FUNCTION marks_groups() RETURNS TABLE (team text, month text, item text, calls bigint, points bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    keys text[];
BEGIN
    PERFORM need('lead');
    keys := my_keys('training');
    RETURN QUERY SELECT s.team, s.month, s.item, s.calls, s.points
        FROM review_sums s JOIN policy_teams t ON t.number = newest_policy() AND t.team = s.team
        WHERE s.told AND EXISTS (SELECT FROM unnest(t.leads) AS one (key_id) WHERE 'training:' || one.key_id = ANY (keys))
        ORDER BY 1, 2, 3;
END $$;
