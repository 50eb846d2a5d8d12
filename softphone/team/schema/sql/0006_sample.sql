-- What a review is shared by, and what outlives it in figures alone.

-- The newest of what lives for training, without a look at what does not.
CREATE INDEX recordings_sample ON recordings (opened_at, recording) WHERE training_until > '-infinity';

-- The public key by which the desk of an agent reads what is shared with them. Signed by the key that its tokens are bound to.
CREATE TABLE reading_keys (
    desk uuid PRIMARY KEY REFERENCES desks,
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    signature bytea NOT NULL CHECK (length(signature) = 64),
    at timestamptz NOT NULL DEFAULT statement_timestamp()
);
-- Data keys of what is shared, sealed by a lead for a desk of the call's agent. They go with the sharing.
CREATE TABLE review_wraps (
    recording uuid NOT NULL REFERENCES reviews ON DELETE CASCADE,
    segment integer NOT NULL,
    desk uuid NOT NULL REFERENCES desks,
    suite text NOT NULL CHECK (length(suite) <= 100),
    sealed bytea NOT NULL CHECK (length(sealed) <= 1000),
    PRIMARY KEY (recording, segment, desk)
);

-- What became of the sample: counts, which name no call. A desk tells its own; what happens in the house counts under no desk.
-- `span` is a month (2026-11); for `reviewed_on`, by which the reviewers' pace is known, a day.
CREATE TABLE sample_tallies (
    desk uuid NOT NULL,
    line text NOT NULL CHECK (length(line) <= 200),
    agent text NOT NULL CHECK (length(agent) <= 320),
    span text NOT NULL CHECK (span ~ '^\d{4}-\d\d(-\d\d)?$'),
    what text NOT NULL CHECK (what IN ('drawn', 'recorded', 'declined', 'reviewed', 'expired_unseen', 'reviewed_on')),
    count bigint NOT NULL CHECK (count BETWEEN 0 AND 1000000000),
    PRIMARY KEY (line, agent, span, what, desk)
);

-- Points of reviews that have ended, of a team's month. They are told once five of its agents are in them, and no agent is.
CREATE TABLE review_sums (
    team text NOT NULL,
    month text NOT NULL,
    item text NOT NULL,
    calls bigint NOT NULL,
    points bigint NOT NULL,
    told boolean NOT NULL DEFAULT false, -- five agents are in it
    PRIMARY KEY (team, month, item)
);
-- Who is in them, and nothing of how: for counting to five. They go once there are five, or the month is long over.
CREATE TABLE review_sum_agents (
    team text NOT NULL,
    month text NOT NULL,
    item text NOT NULL,
    agent text NOT NULL,
    PRIMARY KEY (team, month, item, agent),
    FOREIGN KEY (team, month, item) REFERENCES review_sums ON DELETE CASCADE
);

GRANT SELECT, INSERT, UPDATE, DELETE ON reading_keys, review_wraps, sample_tallies, review_sums, review_sum_agents TO klartone_rules;
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY ['reading_keys', 'review_wraps', 'sample_tallies', 'review_sums', 'review_sum_agents'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', one);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY rules ON %I TO klartone_rules USING (true) WITH CHECK (true)', one);
    END LOOP;
END $$;
-- No login reads these tables: functions tell what a rule gives.
