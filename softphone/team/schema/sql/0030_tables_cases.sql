-- What a party asks for once the call is over, and how the house answers in time and can show that it did.

CREATE TABLE cases (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL
        CHECK (kind IN ('objection', 'grounds_given', 'erasure', 'access', 'rectification', 'excision', 'undeclared')),
    received_at timestamptz NOT NULL,
    received_how text NOT NULL CHECK (received_how IN ('call', 'letter', 'mail', 'in_person', 'other')),
    received_by uuid NOT NULL REFERENCES people,
    identity text[] NOT NULL -- how it was checked who asks
        CHECK (identity <@ ARRAY ['number_called', 'known_details', 'signed_in', 'in_person', 'papers_seen']),
    deadline date NOT NULL,
    overdue_at timestamptz NOT NULL, -- the moment at which that day has passed
    extended_reason text CHECK (length(extended_reason) <= 2000),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'decided', 'answered', 'closed')),
    answered_at timestamptz,
    closed_at timestamptz,
    CHECK (overdue_at > received_at)
);
CREATE INDEX cases_open ON cases (overdue_at) WHERE state IN ('open', 'decided');
CREATE INDEX cases_over ON cases (received_at) WHERE state <> 'open';

-- Whom it concerns: sealed for custody.
CREATE TABLE case_concerns (
    number bigint NOT NULL REFERENCES cases,
    key_id text NOT NULL,
    suite text NOT NULL,
    sealed bytea NOT NULL CHECK (length(sealed) <= 20000),
    PRIMARY KEY (number, key_id)
);

-- Each recording is decided by itself. A case outlives what it was about.
CREATE TABLE case_recordings (
    number bigint NOT NULL REFERENCES cases,
    recording uuid NOT NULL,
    decision text CHECK (decision IN ('upheld', 'not_upheld')),
    reason text CHECK (length(reason) <= 2000),
    decided_by uuid REFERENCES people,
    decided_at timestamptz,
    heard uuid[] NOT NULL DEFAULT '{}', -- by which ids a desk has told of it: one that is told again is the same
    CHECK ((decision IS NULL) = (decided_at IS NULL)),
    CHECK ((decision IS NULL) = (reason IS NULL)),
    PRIMARY KEY (number, recording)
);
CREATE INDEX case_recordings_of_one ON case_recordings (recording);
CREATE INDEX case_recordings_undecided ON case_recordings (number) WHERE decision IS NULL;

-- What waits, the most urgent first; for each reader what they may see of it.
CREATE VIEW cases_due WITH (security_invoker = true) AS
    SELECT number, kind, state, received_at, deadline, overdue_at <= statement_timestamp() AS overdue,
        (SELECT count(*) FROM case_recordings r WHERE r.number = cases.number AND r.decision IS NULL) AS undecided
    FROM cases WHERE state IN ('open', 'decided') ORDER BY overdue_at, number;
