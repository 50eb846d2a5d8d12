-- The log and what proves it; tombstones, what storage has still to learn of holds, and what a restored database must learn from
-- storage.

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
CREATE INDEX audit_events ON audit (event) WHERE chain = 'service';
CREATE INDEX audit_of_a_call ON audit (call) WHERE call <> '';

-- The service's log as it stood, signed: who keeps one finds out a log that was written anew. Each names the one before, so none can be
-- left out.
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
CREATE INDEX tombstones_at ON tombstones (at);

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
    written_at timestamptz, -- the sweep has laid it
    tried_at timestamptz,
    laid_at timestamptz, -- what the service says
    offered_at timestamptz, -- when it was asked to
    PRIMARY KEY (what, id, at)
);
CREATE INDEX stones_waiting ON stones (at) WHERE written_at IS NULL;
CREATE INDEX stones_old ON stones (at);
CREATE INDEX stones_of_a_recording ON stones ((told ->> 'recording')) WHERE told ->> 'recording' IS NOT NULL;

-- Where a comparison of database and storage stands: stopped, it goes on there. And that a restore has begun.
CREATE TABLE comparing (
    part text PRIMARY KEY CHECK (part IN ('rows', 'objects', 'logs', 'restore')),
    position text NOT NULL,
    wrong bigint NOT NULL DEFAULT 0
);

-- After which entry a chain begins, where its first part has gone in its time: as an entry of the service's own log says.
CREATE TABLE log_begins (
    chain text PRIMARY KEY,
    number bigint NOT NULL,
    hash text NOT NULL,
    said bigint NOT NULL -- which entry of the service's log
);

-- The database that a service has compared with storage, as `softphone.team.rows.pool.WHICH` names it: one that is restored beneath
-- is another one, whatever this row says then.
CREATE TABLE compared (
    which text NOT NULL,
    alone boolean PRIMARY KEY DEFAULT true CHECK (alone)
);
