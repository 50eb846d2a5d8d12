-- Settings for every desk of the house: TOML, as a machine's are. The newest counts.
CREATE TABLE house_settings (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    told text NOT NULL CHECK (length(told) <= 100000),
    taken_at timestamptz NOT NULL DEFAULT statement_timestamp()
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
-- An agent's SIP account, by its address. The password is sealed with a key that the service alone holds, and is here only
-- until a desk of that agent has it.
CREATE TABLE desk_accounts (
    address text PRIMARY KEY CHECK (length(address) <= 200),
    told jsonb NOT NULL CHECK (length(told::text) <= 5000),
    password bytea CHECK (length(password) <= 5000),
    taken_by uuid REFERENCES desks, -- it has been given to this one, which has not said yet that it has kept it
    changed_at timestamptz NOT NULL DEFAULT statement_timestamp()
);
