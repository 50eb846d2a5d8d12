-- For data protection's one place: what is held, waits to be judged or decided, and what agents wrote of a call.

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

-- A consent that was taken back ends what rests on one, and nothing else.
ALTER TABLE withdrawals ADD COLUMN of_consent boolean NOT NULL DEFAULT false;

CREATE INDEX holds_standing ON holds (at, hold) WHERE lifted_at IS NULL;
CREATE INDEX purposes_to_judge ON purposes (ends_at, recording) WHERE stands = 'keeps' AND at_end = 'review';
CREATE INDEX case_recordings_undecided ON case_recordings (number) WHERE decision IS NULL;
