-- After which entry a chain begins, where its first part has gone in its time: as an entry of the service's own log says.
CREATE TABLE log_begins (
    chain text PRIMARY KEY,
    number bigint NOT NULL,
    hash text NOT NULL,
    said bigint NOT NULL -- which entry of the service's log
);
ALTER TABLE log_begins ENABLE ROW LEVEL SECURITY;
ALTER TABLE log_begins FORCE ROW LEVEL SECURITY;
CREATE POLICY rules ON log_begins TO klartone_rules USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON log_begins TO klartone_rules;

-- Whatever a function does: no entry goes that is younger than a year (`softphone.domain.policy.checks.LEAST_AUDIT_RETENTION`).
GRANT DELETE ON audit TO klartone_rules;
CREATE POLICY kept ON audit AS RESTRICTIVE FOR DELETE USING (at <= statement_timestamp() - interval '1 year');
GRANT DELETE ON cases, case_concerns, case_recordings TO klartone_rules;
CREATE INDEX cases_over ON cases (received_at) WHERE state <> 'open';
