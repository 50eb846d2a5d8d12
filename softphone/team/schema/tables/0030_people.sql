-- Who there is: people, their desks, living sessions, and what was proved or shown once.

CREATE TABLE people (
    person uuid PRIMARY KEY,
    issuer text NOT NULL, -- who signs them in; empty: a one-time code of this house
    subject text NOT NULL,
    since timestamptz NOT NULL DEFAULT statement_timestamp(),
    left_at timestamptz,
    UNIQUE (issuer, subject)
);

-- A private key that a person has proved by answering a challenge sealed to it. Seeing what it opens takes that proof.
CREATE TABLE person_keys (
    person uuid NOT NULL REFERENCES people,
    role text NOT NULL CHECK (role IN ('documentation', 'training', 'custody')),
    key_id text NOT NULL,
    proved_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (person, role, key_id)
);

-- What the login that signs in has sealed to a key, and waits for the answer to.
CREATE TABLE key_challenges (
    person uuid NOT NULL REFERENCES people,
    role text NOT NULL,
    key_id text NOT NULL,
    nonce_hash bytea NOT NULL CHECK (length(nonce_hash) = 32),
    until timestamptz NOT NULL,
    PRIMARY KEY (person, role, key_id)
);

CREATE TABLE desks (
    desk uuid PRIMARY KEY, -- the id of its local archive
    person uuid NOT NULL REFERENCES people,
    public_key bytea NOT NULL,
    thumbprint text NOT NULL, -- of the key that its tokens are bound to (RFC 7638)
    joined_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    revoked_at timestamptz,
    left_by_itself boolean NOT NULL DEFAULT false, -- `klartone leave`, and nobody's revoking
    program text NOT NULL DEFAULT '',
    seen_at timestamptz,
    waiting integer NOT NULL DEFAULT 0, -- recordings that it has not shipped
    failed text NOT NULL DEFAULT '' -- a code of the product, never words of somebody's
);
CREATE UNIQUE INDEX desks_of_a_key ON desks (thumbprint) WHERE revoked_at IS NULL;

-- The public key by which the desk of an agent reads what is shared with them. Signed by the key that its tokens are bound to.
CREATE TABLE reading_keys (
    desk uuid PRIMARY KEY REFERENCES desks,
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    signature bytea NOT NULL CHECK (length(signature) = 64),
    at timestamptz NOT NULL DEFAULT statement_timestamp()
);

-- `token_hash` is the SHA-256 of what the service sets, which is itself a hash of the token: a copy of this table opens nothing.
CREATE TABLE sessions (
    session uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    refresh_hash bytea NOT NULL UNIQUE,
    person uuid NOT NULL REFERENCES people,
    desk uuid NOT NULL REFERENCES desks,
    roles text[] NOT NULL CHECK (roles <@ ARRAY ['agent', 'case_handler', 'lead', 'custody', 'it']),
    agents text[] NOT NULL, -- account addresses
    opened_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    expires_at timestamptz NOT NULL,
    refresh_until timestamptz NOT NULL,
    ended_at timestamptz,
    renewed_at timestamptz, -- its refresh token was used
    renews uuid -- the session whose refresh token made it
);
CREATE INDEX sessions_of_a_desk ON sessions (desk) WHERE ended_at IS NULL;
CREATE INDEX sessions_newest ON sessions (desk, opened_at); -- whatever became of them
CREATE INDEX sessions_renewing ON sessions (renews) WHERE renews IS NOT NULL;
CREATE INDEX sessions_past ON sessions (refresh_until);

CREATE TABLE codes (
    code_hash bytea PRIMARY KEY,
    subject text NOT NULL,
    roles text[] NOT NULL CHECK (roles <@ ARRAY ['agent', 'case_handler', 'lead', 'custody', 'it']),
    agents text[] NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

-- Proofs of possession (RFC 9449) that were taken once. Unlogged: after a crash of the server it is empty, and a proof is good
-- for a minute at most.
CREATE UNLOGGED TABLE proofs (
    proof bytea PRIMARY KEY,
    until timestamptz NOT NULL
);
CREATE INDEX proofs_past ON proofs (until);

-- What a desk has done since a moment. Unlogged: after a crash of the server each begins anew.
CREATE UNLOGGED TABLE desk_rates (
    desk uuid NOT NULL,
    what text NOT NULL,
    since timestamptz NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (desk, what)
);
