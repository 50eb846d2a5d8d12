-- What leads say of a call that they have heard: it is there as long as the call may be listened to for training (ADR 015). What a
-- review is shared by, and what outlives it in figures alone.

CREATE TABLE reviews (
    recording uuid PRIMARY KEY REFERENCES recordings ON DELETE CASCADE,
    shared boolean NOT NULL, -- the agent of the call may read it
    version bigint NOT NULL DEFAULT 1,
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    person uuid NOT NULL REFERENCES people,
    vouched text CHECK (length(vouched) = 44) -- by whom it is shared, with a key that the service never has
);

CREATE TABLE review_scores (
    recording uuid NOT NULL REFERENCES recordings ON DELETE CASCADE,
    item text NOT NULL CHECK (length(item) BETWEEN 1 AND 60),
    points integer NOT NULL CHECK (points BETWEEN 0 AND 10),
    version bigint NOT NULL DEFAULT 1,
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    person uuid NOT NULL REFERENCES people,
    PRIMARY KEY (recording, item)
);

CREATE TABLE review_comments (
    comment uuid PRIMARY KEY,
    recording uuid NOT NULL REFERENCES recordings ON DELETE CASCADE,
    sample integer NOT NULL CHECK (sample >= 0), -- what it is about, at 16 kHz
    answers uuid REFERENCES review_comments ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    person uuid NOT NULL REFERENCES people
);
CREATE INDEX review_comments_of_a_recording ON review_comments (recording);
CREATE INDEX review_comments_answered ON review_comments (answers) WHERE answers IS NOT NULL;

-- Its words, sealed on the desk: for training keys, and for the desk of the call's agent where that may read them.
CREATE TABLE comment_seals (
    comment uuid NOT NULL REFERENCES review_comments ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('training', 'agent')),
    key_id text NOT NULL, -- for an agent the thumbprint of the desk's key
    suite text NOT NULL,
    sealed bytea NOT NULL CHECK (length(sealed) <= 20000),
    PRIMARY KEY (comment, role, key_id)
);

-- Who has it open: others see that before they write.
CREATE TABLE review_openings (
    recording uuid NOT NULL REFERENCES recordings ON DELETE CASCADE,
    person uuid NOT NULL REFERENCES people,
    since timestamptz NOT NULL DEFAULT statement_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (recording, person)
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
CREATE INDEX sample_tallies_of_a_desk ON sample_tallies (desk);

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
