-- What outlives a recording, and what comes before it: the log, tombstones, what is remembered of a number, uploads.

-- One chain of hashes for each desk, and the service's own. It takes inserts alone: nobody has a right to more.
CREATE TABLE audit (
    chain text NOT NULL, -- a desk's id, or `service`
    number bigint NOT NULL,
    at timestamptz NOT NULL, -- for `service` the moment, for a desk's entry that of its arrival
    event text NOT NULL CHECK (length(event) BETWEEN 1 AND 60),
    rule text NOT NULL CHECK (length(rule) BETWEEN 1 AND 10),
    call text NOT NULL CHECK (length(call) <= 60),
    recording text,
    told text NOT NULL CHECK (length(told) <= 100000), -- what is hashed, byte by byte, as JSON
    previous text NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (chain, number)
);
CREATE INDEX audit_of_a_recording ON audit (recording) WHERE recording IS NOT NULL;
CREATE INDEX audit_of_a_call ON audit (call) WHERE call <> '';

-- Signed heads of chains: who keeps one finds out a log that was written anew.
CREATE TABLE heads (
    chain text NOT NULL,
    number bigint NOT NULL,
    hash text NOT NULL,
    at timestamptz NOT NULL,
    key text NOT NULL,
    signature text NOT NULL,
    PRIMARY KEY (chain, number)
);

-- A recording that has gone. It lies in the object store too before anybody says *erased*, so that a restored database does
-- not bring it back.
CREATE TABLE tombstones (
    recording uuid PRIMARY KEY,
    object_key text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    written_at timestamptz, -- it lies in the object store
    tried_at timestamptz, -- a sweeper has it in hand, or had
    erased_at timestamptz -- every version of the object is gone
);
CREATE INDEX tombstones_waiting ON tombstones (at) WHERE erased_at IS NULL;

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

-- An opt-out or a withdrawn consent. It reaches what arrives later too.
CREATE TABLE withdrawals (
    withdrawal uuid PRIMARY KEY,
    call_group uuid,
    number_hash bytea,
    purposes text[] NOT NULL CHECK (purposes <@ ARRAY ['documentation', 'training'] AND purposes <> '{}'),
    reason text NOT NULL,
    at timestamptz NOT NULL,
    person uuid NOT NULL REFERENCES people,
    desk uuid, -- an agent's own: it reaches what this desk recorded
    CHECK ((call_group IS NULL) <> (number_hash IS NULL))
);
CREATE INDEX withdrawals_of_a_group ON withdrawals (call_group) WHERE call_group IS NOT NULL;
CREATE INDEX withdrawals_of_a_number ON withdrawals (number_hash) WHERE number_hash IS NOT NULL;

CREATE TABLE uploads (
    recording uuid PRIMARY KEY,
    desk uuid NOT NULL REFERENCES desks,
    person uuid NOT NULL REFERENCES people,
    object_key text NOT NULL UNIQUE,
    upload text NOT NULL DEFAULT '', -- the object store's own name for it
    size bigint NOT NULL CHECK (size > 0),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    chunk integer NOT NULL CHECK (chunk > 0),
    begun_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    touched_at timestamptz NOT NULL DEFAULT statement_timestamp()
);

-- Uploads that were given up: the sweep ends them in the object store, once nothing that is under way can come after.
CREATE TABLE uploads_ended (
    object_key text PRIMARY KEY,
    upload text NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    tried_at timestamptz
);
CREATE INDEX uploads_ended_first ON uploads_ended (ended_at);
CREATE INDEX uploads_touched ON uploads (touched_at);
CREATE TABLE upload_parts (
    recording uuid NOT NULL REFERENCES uploads ON DELETE CASCADE,
    part integer NOT NULL CHECK (part > 0),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    etag text NOT NULL,
    PRIMARY KEY (recording, part)
);
CREATE TABLE receipts (
    recording uuid PRIMARY KEY,
    digest bytea NOT NULL,
    receipt text NOT NULL, -- as it was signed
    at timestamptz NOT NULL DEFAULT statement_timestamp()
);
