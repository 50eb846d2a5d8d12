-- What a desk has done since a moment. Unlogged: after a crash of the server each begins anew.
CREATE UNLOGGED TABLE desk_rates (
    desk uuid NOT NULL,
    what text NOT NULL,
    since timestamptz NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (desk, what)
);
ALTER TABLE desk_rates ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk_rates FORCE ROW LEVEL SECURITY;
CREATE POLICY rules ON desk_rates TO klartone_rules USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON desk_rates TO klartone_rules;
CREATE INDEX uploads_of_a_desk ON uploads (desk);
