-- What is kept of calls. Each moment at which something ends was computed by softphone.domain when the row was written: here
-- moments are compared, and nothing else.

CREATE TABLE calls (
    call uuid PRIMARY KEY,
    call_group uuid NOT NULL, -- a transferred call is one group with that before it
    desk uuid NOT NULL REFERENCES desks,
    line text,
    direction text NOT NULL CHECK (direction IN ('inbound', 'outbound', 'internal')),
    started_at timestamptz NOT NULL,
    notice text,
    language text NOT NULL,
    time_zone text NOT NULL,
    agent text NOT NULL
);
CREATE INDEX calls_of_a_group ON calls (call_group);

-- By the number's keyed hash; the key lies with the service alone. No login can read it: functions compare it.
CREATE TABLE call_numbers (
    call uuid PRIMARY KEY REFERENCES calls ON DELETE CASCADE,
    number_hash bytea NOT NULL CHECK (length(number_hash) = 32)
);
CREATE INDEX call_numbers_hash ON call_numbers (number_hash);

CREATE TABLE call_number_seals (
    call uuid NOT NULL REFERENCES calls ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('documentation', 'custody')),
    key_id text NOT NULL,
    suite text NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (call, role, key_id)
);

-- An id is a UUIDv7, which begins with its time: the table can be partitioned by month through its key.
CREATE TABLE recordings (
    recording uuid PRIMARY KEY,
    call uuid NOT NULL REFERENCES calls,
    desk uuid NOT NULL REFERENCES desks,
    line text,
    agent text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz NOT NULL,
    broke_off boolean NOT NULL DEFAULT false,
    restricted text,
    arrived_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    object_key text NOT NULL UNIQUE,
    object_version text NOT NULL DEFAULT '',
    size bigint NOT NULL CHECK (size >= 0),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    -- What follows is settled by triggers on the tables below, and written by nobody else.
    documentation_until timestamptz NOT NULL DEFAULT '-infinity',
    training_until timestamptz NOT NULL DEFAULT '-infinity',
    waits_until timestamptz NOT NULL DEFAULT '-infinity', -- custody has to judge it, or to decide its case, until then
    held boolean NOT NULL DEFAULT false,
    opened_by text[] NOT NULL DEFAULT '{}', -- `role:key_id` of each key that it is sealed for
    due_at timestamptz NOT NULL DEFAULT 'infinity' -- nothing has to be done before
);
CREATE INDEX recordings_of_a_call ON recordings (call);
CREATE INDEX recordings_newest ON recordings (opened_at, recording);
CREATE INDEX recordings_of_an_agent ON recordings (agent, opened_at, recording);
CREATE INDEX recordings_of_a_line ON recordings (line, opened_at, recording);
CREATE INDEX recordings_in_training ON recordings (training_until) WHERE training_until > '-infinity';
CREATE INDEX recordings_due ON recordings (due_at) WHERE due_at < 'infinity';
CREATE INDEX recordings_held ON recordings (opened_at, recording) WHERE held;
-- The newest of what lives for training, without a look at what does not.
CREATE INDEX recordings_sample ON recordings (opened_at, recording) WHERE training_until > '-infinity';
-- The living sample, of an agent and of a line: what was recorded for nothing but documentation is in neither.
CREATE INDEX recordings_sample_of_an_agent ON recordings (agent, opened_at, recording) WHERE training_until > '-infinity';
CREATE INDEX recordings_sample_of_a_line ON recordings (line, opened_at, recording) WHERE training_until > '-infinity';

CREATE TABLE purposes (
    recording uuid NOT NULL REFERENCES recordings ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('documentation', 'training')),
    basis text,
    retention text,
    expires_on date,
    ends_at timestamptz, -- the moment at which that day begins where the call was
    stands text NOT NULL CHECK (stands IN ('keeps', 'taken_back', 'expired', 'upheld')),
    reason text,
    reviewed_at timestamptz,
    at_end text NOT NULL CHECK (at_end IN ('delete', 'review')),
    keep_reviewed text,
    judge_by date,
    judge_until timestamptz,
    lives_until timestamptz NOT NULL GENERATED ALWAYS AS (
        CASE WHEN stands = 'keeps' THEN coalesce(ends_at, 'infinity') ELSE '-infinity' END
    ) STORED,
    waits_until timestamptz NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN stands = 'keeps' AND at_end = 'review' THEN coalesce(judge_until, 'infinity')
            WHEN stands = 'taken_back' AND reason = 'grounds_given' THEN coalesce(ends_at, 'infinity')
            ELSE '-infinity'
        END
    ) STORED,
    CHECK ((expires_on IS NULL) = (ends_at IS NULL)),
    CHECK ((judge_by IS NULL) = (judge_until IS NULL)),
    CHECK (judge_until IS NULL OR (at_end = 'review' AND ends_at IS NOT NULL AND judge_until >= ends_at)),
    PRIMARY KEY (recording, purpose)
);
CREATE INDEX purposes_to_judge ON purposes (ends_at, recording) WHERE stands = 'keeps' AND at_end = 'review';
CREATE INDEX purposes_to_review ON purposes (recording) WHERE purpose = 'training' AND stands = 'keeps' AND reviewed_at IS NULL;

CREATE TABLE segments (
    recording uuid NOT NULL REFERENCES recordings ON DELETE CASCADE,
    segment integer NOT NULL,
    opened_at timestamptz NOT NULL,
    purposes text[] NOT NULL CHECK (purposes <@ ARRAY ['documentation', 'training']),
    chunks integer NOT NULL,
    PRIMARY KEY (recording, segment)
);

CREATE TABLE wraps (
    recording uuid NOT NULL,
    segment integer NOT NULL,
    role text NOT NULL CHECK (role IN ('documentation', 'training', 'custody')),
    key_id text NOT NULL,
    suite text NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (recording, segment, role, key_id),
    FOREIGN KEY (recording, segment) REFERENCES segments ON DELETE CASCADE
);
CREATE INDEX wraps_of_a_key ON wraps (role, key_id);

CREATE TABLE holds (
    hold text PRIMARY KEY CHECK (length(hold) BETWEEN 1 AND 200),
    recording uuid NOT NULL REFERENCES recordings ON DELETE CASCADE,
    raised_for text NOT NULL CHECK (raised_for IN ('party', 'controller', 'access')),
    at timestamptz NOT NULL, -- by the desk's clock
    placed_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    provisional_until timestamptz,
    confirm_by timestamptz,
    confirmed_at timestamptz,
    look_again date,
    lifted_at timestamptz
);
CREATE INDEX holds_on_a_recording ON holds (recording);
CREATE INDEX holds_standing ON holds (at, hold) WHERE lifted_at IS NULL;

-- Custody, and who raised it, read these (L2).
CREATE TABLE hold_words (
    hold text PRIMARY KEY REFERENCES holds ON DELETE CASCADE ON UPDATE CASCADE,
    person uuid REFERENCES people,
    raised_by text NOT NULL,
    why text NOT NULL CHECK (length(why) <= 2000),
    lifted_reason text CHECK (length(lifted_reason) <= 2000)
);

-- Training wraps that a hold took away, for the minute in which its raiser can undo it. No login reads them.
CREATE TABLE wraps_aside (
    hold text NOT NULL REFERENCES holds ON DELETE CASCADE ON UPDATE CASCADE,
    recording uuid NOT NULL,
    segment integer NOT NULL,
    key_id text NOT NULL,
    suite text NOT NULL,
    sealed bytea NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (hold, segment, key_id)
);
