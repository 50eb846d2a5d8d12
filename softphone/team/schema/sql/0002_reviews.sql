-- What leads say of a call that they have heard. It is there as long as the call may be listened to for training (ADR 015).

CREATE TABLE reviews (
    recording uuid PRIMARY KEY REFERENCES recordings ON DELETE CASCADE,
    shared boolean NOT NULL, -- the agent of the call may read it
    version bigint NOT NULL DEFAULT 1,
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    person uuid NOT NULL REFERENCES people
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
