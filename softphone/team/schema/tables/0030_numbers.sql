-- What is remembered of a number, what was taken back, and what agents wrote of a call.

-- What the house remembers of a number, by its keyed hash.
CREATE TABLE remembered (
    number_hash bytea NOT NULL CHECK (length(number_hash) = 32),
    what text NOT NULL CHECK (what IN ('refused', 'do_not_sample', 'language', 'upheld', 'call_back')),
    line text NOT NULL DEFAULT '', -- empty: every line
    purpose text NOT NULL DEFAULT '' CHECK (purpose IN ('', 'documentation', 'training')),
    value text NOT NULL DEFAULT '' CHECK (length(value) <= 40),
    at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    told_at timestamptz NOT NULL, -- when its value was told: the newest counts
    PRIMARY KEY (number_hash, what, line, purpose)
);
CREATE INDEX remembered_past ON remembered (until);

-- An opt-out, a withdrawn consent, or what a letter asks for. It reaches what arrives later too.
CREATE TABLE withdrawals (
    withdrawal uuid PRIMARY KEY,
    call_group uuid,
    number_hash bytea,
    purposes text[] NOT NULL CHECK (purposes <@ ARRAY ['documentation', 'training'] AND purposes <> '{}'),
    reason text NOT NULL,
    at timestamptz NOT NULL,
    person uuid NOT NULL REFERENCES people,
    desk uuid, -- an agent's own: it reaches what this desk recorded
    of_right text CHECK (of_right IN ('opt_out', 'withdraw', 'object', 'erase')), -- as `right_taken` has it; none: a desk told it
    received date, -- the day of the letter; none: that of `at`
    call uuid CHECK (call IS NULL OR call_group IS NOT NULL), -- an agent's own mark: of this call alone
    CHECK ((call_group IS NULL) <> (number_hash IS NULL))
);
CREATE INDEX withdrawals_of_a_group ON withdrawals (call_group) WHERE call_group IS NOT NULL;
CREATE INDEX withdrawals_of_a_number ON withdrawals (number_hash) WHERE number_hash IS NOT NULL;

-- An agent's note about a call, as data protection may read and erase it. Its words are sealed for custody on the desk.
CREATE TABLE call_notes (
    call uuid PRIMARY KEY,
    desk uuid NOT NULL REFERENCES desks,
    agent text NOT NULL,
    number_hash bytea CHECK (length(number_hash) = 32), -- none: the number was withheld, or the note was erased
    at timestamptz NOT NULL,
    until date NOT NULL,
    until_at timestamptz NOT NULL, -- the moment at which that day begins where the call was
    erased_at timestamptz -- by data protection: the desk may send it again, and it stays away
);
CREATE INDEX call_notes_of_a_number ON call_notes (number_hash) WHERE number_hash IS NOT NULL;
CREATE INDEX call_notes_past ON call_notes (until_at);

CREATE TABLE call_note_seals (
    call uuid NOT NULL REFERENCES call_notes ON DELETE CASCADE,
    key_id text NOT NULL,
    suite text NOT NULL,
    sealed bytea NOT NULL CHECK (length(sealed) <= 20000),
    PRIMARY KEY (call, key_id)
);
