-- What a policy wants judged at its day: custody keeps it, or lets it go.

-- One purpose that waits for custody now, or nothing.
CREATE FUNCTION to_judge(of uuid, of_purpose text) RETURNS purposes LANGUAGE sql STABLE SET search_path = klartone, pg_temp AS $$
    SELECT p.* FROM purposes p JOIN recordings r USING (recording) WHERE p.recording = of AND p.purpose = of_purpose
        AND p.stands = 'keeps' AND p.at_end = 'review' AND p.ends_at <= statement_timestamp()
        AND coalesce(p.judge_until, 'infinity') > statement_timestamp() AND r.restricted IS NULL
$$;

-- What the policy wants judged first, and whose day has come: the domain says until when, `judge_listed` writes it down.
CREATE FUNCTION judge_due(most integer) RETURNS TABLE (recording uuid, purpose text, expires_on date, time_zone text)
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT p.recording, p.purpose, p.expires_on, c.time_zone
        FROM purposes p JOIN recordings r USING (recording) JOIN calls c USING (call)
        WHERE p.stands = 'keeps' AND p.at_end = 'review' AND p.judge_until IS NULL AND p.ends_at <= statement_timestamp()
            AND coalesce(r.restricted, 'hold_only') = 'hold_only'
        ORDER BY p.ends_at LIMIT most FOR UPDATE OF p SKIP LOCKED
$$;

-- From then on custody alone opens it, until it has kept it or let it go. The day has the name that a desk's log gives it.
CREATE FUNCTION judge_listed(of uuid, of_purpose text, by_day date, until timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    UPDATE purposes SET judge_by = by_day, judge_until = until WHERE recording = of AND purpose = of_purpose
        AND stands = 'keeps' AND at_end = 'review' AND judge_until IS NULL AND ends_at <= statement_timestamp();
    IF FOUND THEN
        DELETE FROM wraps WHERE recording = of AND role = of_purpose;
        PERFORM note('sweep_to_judge', 'G10', '', of, jsonb_build_object('purpose', of_purpose, 'judge_by', by_day));
    END IF;
END $$;

-- What has reached its day and waits for custody, oldest first, from `since` on. A row without a recording, or a line: another custody
-- key opens it. `it`, by which the next page is asked for, is an id alone: it opens nothing. What a case restricts is decided with it.
CREATE FUNCTION judging_told(since timestamptz, after_it uuid, most integer) RETURNS TABLE (recording uuid, purpose text, line text,
        opened_at timestamptz, time_zone text, retention text, expires_on date, judge_by date, held boolean, ends_at timestamptz, it uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    all_of boolean := i_find_all();
    custody text[] := my_keys('custody');
BEGIN
    PERFORM need('custody');
    IF custody = '{}' THEN
        RAISE EXCEPTION 'no key' USING ERRCODE = 'KT403';
    END IF;
    RETURN QUERY SELECT CASE WHEN all_of OR r.opened_by && custody THEN r.recording END, p.purpose,
            CASE WHEN all_of OR r.opened_by && custody THEN r.line END, r.opened_at, c.time_zone, p.retention,
            p.expires_on, p.judge_by, r.held, p.ends_at, r.recording
        FROM purposes p JOIN recordings r USING (recording) JOIN calls c USING (call)
        WHERE p.stands = 'keeps' AND p.at_end = 'review' AND p.ends_at <= statement_timestamp()
            AND coalesce(p.judge_until, 'infinity') > statement_timestamp() AND r.restricted IS NULL
            AND (since IS NULL OR (p.ends_at, p.recording) > (since, after_it))
        -- With both purposes of the last, where they end together.
        ORDER BY p.ends_at, p.recording FETCH FIRST (most) ROWS WITH TIES;
END $$;

-- Of one recording, for custody.
CREATE FUNCTION judging_of(of uuid) RETURNS TABLE (recording uuid, purpose text, line text, opened_at timestamptz, time_zone text,
        retention text, expires_on date, judge_by date, held boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM need_custody();
    RETURN QUERY SELECT p.recording, p.purpose, r.line, r.opened_at, c.time_zone, p.retention, p.expires_on, p.judge_by, r.held
        FROM recordings r JOIN calls c USING (call) JOIN purposes p USING (recording)
        WHERE r.recording = of AND (to_judge(of, p.purpose)).recording IS NOT NULL ORDER BY p.purpose;
END $$;

-- Custody keeps it until a day that the domain has judged: no longer than its own period once more. Those whom the policy names can
-- open it again. False: it does not wait.
CREATE FUNCTION judged_keep(of uuid, of_purpose text, by_day date, until timestamptz, why text, anew jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
    its purposes;
BEGIN
    PERFORM need_custody();
    SELECT * INTO row FROM recordings r WHERE r.recording = of FOR UPDATE;
    its := to_judge(of, of_purpose);
    IF its.recording IS NULL THEN
        RETURN false;
    END IF;
    IF until <= statement_timestamp() OR until > statement_timestamp() + coalesce(its.retention::interval, interval '0') + interval '2 days' THEN
        RAISE EXCEPTION 'longer than its own period' USING ERRCODE = 'KT422';
    END IF;
    UPDATE purposes p SET expires_on = by_day, ends_at = until, judge_by = NULL, judge_until = NULL
        WHERE p.recording = of AND p.purpose = of_purpose;
    IF seal_living(of, ARRAY [of_purpose], anew) <> '{}' THEN
        RAISE EXCEPTION 'nobody could open it' USING ERRCODE = 'KT422';
    END IF;
    PERFORM note('judged_kept', CASE of_purpose WHEN 'training' THEN 'G36' ELSE 'G10' END, row.call::text, of,
        jsonb_build_object('purpose', of_purpose, 'until', by_day, 'why', why));
    RETURN true;
END $$;

-- Custody lets it go: these purposes end, and with the last one all of it goes, unless a hold keeps it. Returns `gone`, `kept`, or
-- `none`: nothing of it waits.
CREATE FUNCTION judged_end(of uuid, which text[], why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
DECLARE
    row recordings;
    one text;
    out text := 'none';
BEGIN
    PERFORM need_custody();
    SELECT * INTO row FROM recordings r WHERE r.recording = of FOR UPDATE;
    FOR one IN SELECT p.purpose FROM purposes p WHERE p.recording = of AND p.purpose = ANY (which) ORDER BY p.purpose LOOP
        CONTINUE WHEN (to_judge(of, one)).recording IS NULL;
        out := 'kept';
        PERFORM purposes_end(ARRAY [of], ARRAY [one], 'expired', 'judged');
        PERFORM note('judged_ended', CASE one WHEN 'training' THEN 'G36' ELSE 'G10' END, row.call::text, of,
            jsonb_build_object('purpose', one, 'why', why));
    END LOOP;
    IF out = 'kept' AND erase_unless_kept(of, 'judged') THEN
        out := 'gone';
    END IF;
    RETURN out;
END $$;
