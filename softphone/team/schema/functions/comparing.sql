-- Database against storage and logs against themselves, in pieces. It tells keys, versions and digests, and nothing of a call.

CREATE FUNCTION compare_rows(after uuid, most integer)
    RETURNS TABLE (recording uuid, object_key text, object_version text, size bigint, digest bytea, held boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT r.recording, r.object_key, r.object_version, r.size, r.digest, r.held FROM recordings r
        WHERE after IS NULL OR r.recording > after ORDER BY r.recording LIMIT most
$$;

-- What the database says of each key: `row` (and its version), `upload`, `erased`, `due` (the sweep is to erase it), or `none`.
CREATE FUNCTION compare_keys(keys text[]) RETURNS TABLE (object_key text, what text, object_version text, recording uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT k.key, CASE WHEN r.recording IS NOT NULL THEN 'row'
            WHEN EXISTS (SELECT FROM uploads u WHERE u.object_key = k.key) OR EXISTS (SELECT FROM uploads_ended e WHERE e.object_key = k.key) THEN 'upload'
            WHEN t.object_key = k.key AND t.erased_at IS NULL THEN 'due'
            WHEN t.recording IS NOT NULL THEN 'erased' ELSE 'none' END, r.object_version, t.recording
        FROM unnest(keys) AS k (key) LEFT JOIN recordings r ON r.object_key = k.key
        LEFT JOIN tombstones t ON t.recording = CASE WHEN k.key ~ '^recordings/[0-9a-f-]{36}/' THEN split_part(k.key, '/', 2)::uuid END
$$;

CREATE FUNCTION compare_chains() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    WITH RECURSIVE each (chain) AS (
        SELECT min(a.chain) FROM audit a
        UNION ALL SELECT (SELECT min(a.chain) FROM audit a WHERE a.chain > e.chain) FROM each e WHERE e.chain IS NOT NULL
    ) SELECT e.chain FROM each e WHERE e.chain IS NOT NULL
$$;

-- A piece of a chain after an entry whose hash is known (NULL: from its beginning): the last one that holds, how many were read, and
-- the first that does not. One begins with its first entry, or where the service's says that it does.
CREATE FUNCTION compare_log(of_chain text, after bigint, after_hash text, most integer)
    RETURNS TABLE (number bigint, hash text, read bigint, wrong bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    WITH begun AS (
        SELECT b.number, b.hash FROM (SELECT l.* FROM log_begun(of_chain) l UNION ALL SELECT after, after_hash WHERE after IS NOT NULL
            UNION ALL SELECT 0, repeat('0', 64)) b ORDER BY b.number DESC LIMIT 1
    ), piece AS (
        SELECT a.number, a.hash, coalesce(lag(a.number) OVER w, b.number) AS before, coalesce(lag(a.hash) OVER w, b.hash) AS linked,
                a.previous, encode(sha256(convert_to(a.previous || a.told, 'UTF8')), 'hex') AS made
            FROM (SELECT b.* FROM audit b WHERE b.chain = of_chain AND (after IS NULL OR b.number > after) ORDER BY b.number LIMIT most) a
            CROSS JOIN begun b WINDOW w AS (ORDER BY a.number)
    ), judged AS (
        SELECT p.*, p.hash = p.made AND p.number = p.before + 1 AND p.previous = p.linked AS whole FROM piece p
    ), first AS (SELECT min(j.number) AS wrong FROM judged j WHERE NOT j.whole)
    SELECT l.number, l.hash, (SELECT count(*) FROM piece), f.wrong
        FROM first f LEFT JOIN LATERAL (SELECT j.number, j.hash FROM judged j WHERE f.wrong IS NULL OR j.number < f.wrong
            ORDER BY j.number DESC LIMIT 1) l ON true
$$;

-- Each signed head, and the hash that the log has at that entry now. An entry that a restore has taken, or that has gone in its time,
-- is none to compare.
CREATE FUNCTION compare_heads(after bigint, most integer) RETURNS TABLE (head jsonb, here text, lost boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT to_jsonb(s), coalesce(a.hash, b.hash), b.number > s.number IS TRUE
            OR EXISTS (SELECT FROM restores r WHERE r.epoch > s.epoch AND r.number < s.number)
        FROM signed_heads s LEFT JOIN audit a ON a.chain = 'service' AND a.number = s.number
        LEFT JOIN log_begun('service') b ON b.number >= s.number
        WHERE s.serial > after ORDER BY s.serial LIMIT most
$$;

-- Desks whose log is not what the service's log says that it was when it came; `number`: of the service's entry.
CREATE FUNCTION compare_countersigned(after bigint, most integer) RETURNS TABLE (number bigint, desk text, holds boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT n.number, n.desk, b.number > n.of IS TRUE OR coalesce(a.hash, b.hash) IS NOT DISTINCT FROM n.hash FROM (
            SELECT s.number, j ->> 'desk' AS desk, (j #>> '{params,number}')::bigint AS of, j #>> '{params,hash}' AS hash
            FROM (SELECT b.number, b.told::jsonb AS j FROM audit b WHERE b.chain = 'service' AND b.number > after
                AND b.event = 'desk_log_arrived' ORDER BY b.number LIMIT most) s) n
        LEFT JOIN audit a ON a.chain = n.desk AND a.number = n.of
        LEFT JOIN LATERAL (SELECT l.* FROM log_begun(n.desk) l WHERE l.number >= n.of) b ON true ORDER BY n.number
$$;

CREATE FUNCTION compare_at(of_part text) RETURNS TABLE (place text, wrong bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT c.position, c.wrong FROM comparing c WHERE c.part = of_part
$$;

-- Empty: it is through.
CREATE FUNCTION compare_reached(of_part text, place text, of_wrong bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF place = '' THEN
        DELETE FROM comparing c WHERE c.part = of_part;
    ELSE
        INSERT INTO comparing VALUES (of_part, place, of_wrong)
            ON CONFLICT (part) DO UPDATE SET position = excluded.position, wrong = excluded.wrong;
    END IF;
END $$;

-- For whoever looks after the house. `found`: of what kinds, and nothing of which recording.
CREATE FUNCTION compare_told(looked bigint, of_wrong bigint, found text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
    SELECT note('verified', 'G10', '', NULL, jsonb_build_object('count', looked, 'wrong', of_wrong, 'found', found))
$$;

-- That storage does not let something go: once a day, however often a sweep finds it so.
CREATE FUNCTION sweep_told(refused bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = klartone, pg_temp AS $$
BEGIN
    IF rated('00000000-0000-0000-0000-000000000000', 'sweep stuck', 'day', 1) = 1 THEN
        PERFORM note('sweep_stuck', 'G10', '', NULL, jsonb_build_object('count', refused));
    END IF;
END $$;
