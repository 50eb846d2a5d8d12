-- What proves the log, what storage has still to learn of holds, and what a restored database must learn from storage.

-- The service's log as it stood, signed. Each names the one before, so none can be left out.
CREATE TABLE signed_heads (
    serial bigint PRIMARY KEY CHECK (serial > 0),
    number bigint NOT NULL,
    hash text NOT NULL,
    at timestamptz NOT NULL,
    durable_to bigint NOT NULL CHECK (durable_to <= number), -- the entry up to which the database is safe
    epoch integer NOT NULL, -- how often it was restored
    restored_from bigint NOT NULL, -- the entry at which it last went on
    previous text NOT NULL,
    key text NOT NULL,
    signature text NOT NULL
);
-- Where the database's own log was when an entry was there already.
CREATE TABLE head_marks (
    number bigint PRIMARY KEY,
    lsn pg_lsn NOT NULL,
    at timestamptz NOT NULL DEFAULT statement_timestamp()
);
-- Up to which entry of a desk's log the service's own log names it.
CREATE TABLE countersigned (
    desk uuid PRIMARY KEY REFERENCES desks,
    number bigint NOT NULL
);
CREATE TABLE restores (
    epoch integer PRIMARY KEY CHECK (epoch > 0),
    number bigint NOT NULL, -- the last entry that it had
    at timestamptz NOT NULL DEFAULT statement_timestamp()
);

-- A recording is held, or is not any more: storage's legal hold is to follow.
CREATE TABLE legal_holds_due (
    recording uuid PRIMARY KEY REFERENCES recordings ON DELETE CASCADE,
    tried_at timestamptz -- somebody has it in hand, or had
);

-- What a database restored from before must not undo: `what` names the table, `told` has the row. Each is written to storage too.
CREATE TABLE stones (
    what text NOT NULL,
    id text NOT NULL,
    at timestamptz NOT NULL,
    told jsonb NOT NULL,
    written_at timestamptz,
    tried_at timestamptz,
    PRIMARY KEY (what, id, at)
);
CREATE INDEX stones_waiting ON stones (at) WHERE written_at IS NULL;
CREATE INDEX stones_old ON stones (at);
CREATE INDEX tombstones_at ON tombstones (at);

-- Where a comparison of database and storage stands: stopped, it goes on there. And that a restore has begun.
CREATE TABLE comparing (
    part text PRIMARY KEY CHECK (part IN ('rows', 'objects', 'logs', 'restore')),
    position text NOT NULL,
    wrong bigint NOT NULL DEFAULT 0
);
