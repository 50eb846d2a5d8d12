-- Each length (ISO 8601) that a line of a policy keeps a purpose. No row of any: its policies were taken in by an earlier program.
CREATE TABLE policy_terms (
    number bigint NOT NULL REFERENCES policies,
    purpose text NOT NULL CHECK (purpose IN ('documentation', 'training')),
    retention text NOT NULL,
    PRIMARY KEY (number, purpose, retention)
);
ALTER TABLE policy_terms ENABLE ROW LEVEL SECURITY;
ALTER TABLE policy_terms FORCE ROW LEVEL SECURITY;
CREATE POLICY rules ON policy_terms TO klartone_rules USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON policy_terms TO klartone_rules;
