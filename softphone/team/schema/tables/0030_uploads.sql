-- What comes before a recording, and the word that it has come.

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
CREATE INDEX uploads_touched ON uploads (touched_at);
CREATE INDEX uploads_of_a_desk ON uploads (desk);

-- Uploads that were given up: the sweep ends them in the object store, once nothing that is under way can come after.
CREATE TABLE uploads_ended (
    object_key text PRIMARY KEY,
    upload text NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    tried_at timestamptz
);
CREATE INDEX uploads_ended_first ON uploads_ended (ended_at);

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
