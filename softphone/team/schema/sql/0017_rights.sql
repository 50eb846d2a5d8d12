-- Data keys for documentation and for a case are handed out by `recording_open` alone, which logs reason and case: no service
-- that was taken reads them past the log.
ALTER POLICY seen ON wraps USING (
    role = 'training' AND role || ':' || key_id = ANY ((SELECT my_keys('training'))::text[])
    AND EXISTS (SELECT FROM recordings r WHERE r.recording = wraps.recording AND lives_for(r, wraps.role)
        AND led(r.line, r.agent) && (SELECT my_led()))
);
