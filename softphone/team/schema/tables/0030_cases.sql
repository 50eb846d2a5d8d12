-- What custody has to decide about a recording: an objection (G23), or grounds given against training (G32). It outlives the recording.
CREATE TABLE cases (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recording uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('objection', 'grounds_given')),
    received_at timestamptz NOT NULL,
    received_how text NOT NULL CHECK (received_how IN ('call', 'letter')),
    received_by uuid NOT NULL REFERENCES people,
    deadline date NOT NULL,
    overdue_at timestamptz NOT NULL, -- the moment at which that day has passed
    heard uuid[] NOT NULL DEFAULT '{}', -- by which ids a desk has told of it: one that is told again is the same
    decision text CHECK (decision IN ('upheld', 'not_upheld', 'gone')), -- gone: undecided, with its recording
    reason text CHECK (length(reason) <= 2000),
    decided_by uuid REFERENCES people,
    decided_at timestamptz,
    CHECK (overdue_at > received_at),
    CHECK ((decision IS NULL) = (decided_at IS NULL)),
    CHECK ((decision IS NULL) = (reason IS NULL))
);
CREATE INDEX cases_of_one ON cases (recording);
CREATE INDEX cases_open ON cases (received_at) WHERE decision IS NULL;
CREATE INDEX cases_over ON cases (decided_at);
