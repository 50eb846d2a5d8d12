-- Of what another custody key opens, a list tells that there is something, and when: no words, no call, no line. `it`, by which the
-- next page of what waits is asked for, is an id alone: it opens nothing.
CREATE OR REPLACE FUNCTION holds_told(beginning text) RETURNS TABLE (hold text, recording uuid, raised_for text, at timestamptz,
        provisional_until timestamptz, confirm_by timestamptz, look_again date, raised_by text, why text, time_zone text, alone boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who sessions := need('agent', 'case_handler', 'lead', 'custody', 'it');
    all_of boolean := i_find_all();
    custody text[] := my_keys('custody');
    documentation text[] := my_keys('documentation');
    training text[] := my_keys('training');
    own text[] := my_agents();
    since timestamptz := own_since();
    led_by_me text[] := my_led();
BEGIN
    RETURN QUERY SELECT CASE WHEN theirs.it THEN h.hold END,
            -- As `i_see` has it.
            CASE WHEN all_of OR r.opened_by && custody OR (r.agent = ANY (own) AND r.opened_at >= since)
                OR (r.opened_by && documentation AND lives_for(r, 'documentation'))
                OR (r.opened_by && training AND lives_for(r, 'training') AND led(r.line, r.agent) && led_by_me) THEN h.recording END,
            h.raised_for, h.at, h.provisional_until, h.confirm_by, h.look_again, CASE WHEN theirs.it THEN w.raised_by END,
            CASE WHEN theirs.it THEN w.why END, c.time_zone,
            greatest(r.documentation_until, r.training_until) <= statement_timestamp()
        FROM holds h JOIN recordings r USING (recording) JOIN calls c USING (call) JOIN hold_words w USING (hold),
            LATERAL (SELECT w.person IS NOT DISTINCT FROM who.person AS it) mine,
            LATERAL (SELECT mine.it OR all_of OR r.opened_by && custody AS it) theirs
        WHERE h.lifted_at IS NULL AND starts_with(h.hold, beginning) AND (custody <> '{}' OR mine.it) ORDER BY h.at, h.hold;
END $$;

CREATE OR REPLACE FUNCTION judging_told(since timestamptz, after_it uuid, most integer) RETURNS TABLE (recording uuid, purpose text, line text,
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

CREATE OR REPLACE FUNCTION cases_told(of uuid) RETURNS TABLE (number bigint, recording uuid, call uuid, kind text, line text, received_at timestamptz,
        deadline date, goes_on date, overdue boolean, held boolean, time_zone text)
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
    RETURN QUERY SELECT k.number, CASE WHEN all_of OR r.opened_by && custody THEN r.recording END,
            CASE WHEN all_of OR r.opened_by && custody THEN r.call END, k.kind, CASE WHEN all_of OR r.opened_by && custody THEN r.line END,
            k.received_at, k.deadline,
            -- Where a purpose that lives has no day, nothing says when it goes.
            (SELECT CASE WHEN count(*) = count(p.expires_on) THEN max(p.expires_on) END FROM purposes p
                WHERE p.recording = r.recording AND (p.stands = 'keeps' OR p.reason = 'grounds_given')),
            k.overdue_at <= statement_timestamp(), r.held, c.time_zone
        FROM case_recordings o JOIN cases k USING (number) JOIN recordings r USING (recording) JOIN calls c USING (call)
        WHERE o.decision IS NULL AND k.kind IN ('objection', 'grounds_given') AND (of IS NULL OR o.recording = of)
        ORDER BY k.received_at, r.recording, k.number;
END $$;
