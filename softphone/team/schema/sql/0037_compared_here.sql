-- The database that a service has compared with storage, as `softphone.team.rows.pool.WHICH` names it: one that is restored beneath
-- is another one, whatever this row says then.
CREATE TABLE compared (
    which text NOT NULL,
    alone boolean PRIMARY KEY DEFAULT true CHECK (alone)
);
ALTER TABLE compared ENABLE ROW LEVEL SECURITY;
ALTER TABLE compared FORCE ROW LEVEL SECURITY;
CREATE POLICY rules ON compared TO klartone_rules USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON compared TO klartone_rules;
