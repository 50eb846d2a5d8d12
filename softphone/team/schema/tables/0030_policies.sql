-- What the house works under: policies that name keys and teams. And what sets a desk up.

CREATE TABLE policies (
    number bigint PRIMARY KEY CHECK (number > 0),
    signed bytea NOT NULL, -- the policy as it was signed, byte by byte
    signer text NOT NULL,
    succession bytea, -- where the signer is another than before: the old one's signature for the new one
    own_calls interval NOT NULL, -- how far back an agent finds own calls
    taken_at timestamptz NOT NULL DEFAULT statement_timestamp()
);

CREATE TABLE policy_keys (
    number bigint NOT NULL REFERENCES policies,
    role text NOT NULL CHECK (role IN ('documentation', 'training', 'custody')),
    key_id text NOT NULL,
    public_key bytea CHECK (length(public_key) = 32), -- a challenge is sealed to it; null: nobody told it
    PRIMARY KEY (number, role, key_id)
);
CREATE INDEX policy_keys_of_a_key ON policy_keys (role, key_id);

CREATE TABLE policy_teams (
    number bigint NOT NULL REFERENCES policies,
    team text NOT NULL,
    agents text[] NOT NULL,
    lines text[] NOT NULL,
    leads text[] NOT NULL, -- ids of training keys
    PRIMARY KEY (number, team)
);

-- Each length (ISO 8601) that a line of a policy keeps a purpose. No row of any: whoever took its policies in told none.
CREATE TABLE policy_terms (
    number bigint NOT NULL REFERENCES policies,
    purpose text NOT NULL CHECK (purpose IN ('documentation', 'training')),
    retention text NOT NULL,
    PRIMARY KEY (number, purpose, retention)
);

-- Recorded notices, by the SHA-256 of what is in them; and what each is called in the policy that names it.
CREATE TABLE notice_files (
    digest text PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
    sound bytea NOT NULL CHECK (length(sound) BETWEEN 1 AND 20000000)
);

CREATE TABLE policy_notices (
    number bigint NOT NULL REFERENCES policies,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    digest text NOT NULL REFERENCES notice_files,
    PRIMARY KEY (number, name)
);

-- Settings for every desk of the house: TOML, as a machine's are. The newest counts.
CREATE TABLE house_settings (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    told text NOT NULL CHECK (length(told) <= 100000),
    taken_at timestamptz NOT NULL DEFAULT statement_timestamp()
);

-- An agent's SIP account, by its address. The password is sealed with a key that the service alone holds, and is here only
-- until a desk of that agent has it.
CREATE TABLE desk_accounts (
    address text PRIMARY KEY CHECK (length(address) <= 200),
    told jsonb NOT NULL CHECK (length(told::text) <= 5000),
    password bytea CHECK (length(password) <= 5000),
    taken_by uuid REFERENCES desks, -- it has been given to this one, which has not said yet that it has kept it
    changed_at timestamptz NOT NULL DEFAULT statement_timestamp()
);
