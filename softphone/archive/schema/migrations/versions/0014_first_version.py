"""The tables, indexes and triggers of the first version that was released. `schema.sql` shows what they are now.

Its number comes after those of unreleased versions, whose archives are not read.
"""

from alembic import op

revision = "0014"
down_revision = None

_TABLES = """
CREATE TABLE meta (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE calls (
    call TEXT NOT NULL,
    desk TEXT NOT NULL,
    line TEXT,
    direction TEXT NOT NULL,
    number_sealed BLOB,
    number_index BLOB,
    started_at TEXT NOT NULL,
    notice TEXT,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    agent TEXT,
    PRIMARY KEY (call)
);
CREATE TABLE recordings (
    recording TEXT NOT NULL,
    call TEXT NOT NULL,
    desk TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    closed_at TEXT,
    restricted TEXT,
    broke_off_at TEXT,
    line TEXT,
    agent TEXT,
    PRIMARY KEY (recording),
    FOREIGN KEY (call) REFERENCES calls (call)
);
CREATE TABLE segments (
    recording TEXT NOT NULL,
    segment INTEGER NOT NULL,
    desk TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    purposes TEXT NOT NULL,
    chunks INTEGER,
    PRIMARY KEY (recording, segment),
    FOREIGN KEY (recording) REFERENCES recordings (recording)
);
CREATE TABLE wraps (
    recording TEXT NOT NULL,
    segment INTEGER NOT NULL,
    role TEXT NOT NULL,
    key_id TEXT NOT NULL,
    suite TEXT NOT NULL,
    desk TEXT NOT NULL,
    slot INTEGER NOT NULL,
    PRIMARY KEY (recording, segment, role, key_id),
    FOREIGN KEY (recording, segment) REFERENCES segments (recording, segment)
);
CREATE TABLE purposes (
    recording TEXT NOT NULL,
    purpose TEXT NOT NULL,
    desk TEXT NOT NULL,
    basis TEXT,
    retention TEXT,
    expires_on TEXT,
    stands TEXT NOT NULL,
    reason TEXT,
    reviewed_at TEXT,
    at_end TEXT DEFAULT 'delete' NOT NULL,
    keep_reviewed TEXT,
    judge_by TEXT,
    PRIMARY KEY (recording, purpose),
    FOREIGN KEY (recording) REFERENCES recordings (recording)
);
CREATE TABLE holds (
    hold TEXT NOT NULL,
    recording TEXT NOT NULL,
    desk TEXT NOT NULL,
    raised_for TEXT NOT NULL,
    raised_by TEXT NOT NULL,
    at TEXT NOT NULL,
    provisional_until TEXT,
    confirm_by TEXT,
    why TEXT NOT NULL,
    lifted_at TEXT,
    lifted_reason TEXT,
    confirmed_at TEXT,
    look_again TEXT,
    PRIMARY KEY (hold),
    FOREIGN KEY (recording) REFERENCES recordings (recording)
);
CREATE TABLE reviews (
    recording TEXT NOT NULL,
    desk TEXT NOT NULL,
    shared INTEGER NOT NULL,
    at TEXT NOT NULL,
    "by" TEXT NOT NULL,
    PRIMARY KEY (recording),
    FOREIGN KEY (recording) REFERENCES recordings (recording)
);
CREATE TABLE review_comments (
    comment TEXT NOT NULL,
    recording TEXT NOT NULL,
    desk TEXT NOT NULL,
    sample INTEGER NOT NULL,
    text TEXT NOT NULL,
    at TEXT NOT NULL,
    "by" TEXT NOT NULL,
    PRIMARY KEY (comment),
    FOREIGN KEY (recording) REFERENCES recordings (recording)
);
CREATE TABLE review_scores (
    recording TEXT NOT NULL,
    item TEXT NOT NULL,
    desk TEXT NOT NULL,
    points INTEGER NOT NULL,
    at TEXT NOT NULL,
    "by" TEXT NOT NULL,
    PRIMARY KEY (recording, item),
    FOREIGN KEY (recording) REFERENCES recordings (recording)
);
CREATE TABLE audit (
    desk TEXT NOT NULL,
    number INTEGER NOT NULL,
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    rule TEXT NOT NULL CHECK (rule <> ''),
    call TEXT NOT NULL,
    recording TEXT,
    params TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (desk, number)
);
CREATE TABLE audit_begins (
    desk TEXT NOT NULL,
    number INTEGER NOT NULL,
    hash TEXT NOT NULL,
    at TEXT NOT NULL,
    "key" TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (desk)
);
CREATE TABLE checkpoints (
    desk TEXT NOT NULL,
    number INTEGER NOT NULL,
    hash TEXT NOT NULL,
    at TEXT NOT NULL,
    "key" TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (desk, number)
);
CREATE TABLE call_backs (
    call TEXT NOT NULL,
    desk TEXT NOT NULL,
    number_sealed BLOB,
    number_index BLOB,
    line TEXT,
    at TEXT NOT NULL,
    until TEXT,
    PRIMARY KEY (call)
);
CREATE TABLE refusals (
    number_index BLOB NOT NULL,
    desk TEXT NOT NULL,
    at TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (number_index)
);
CREATE TABLE party_languages (
    number_index BLOB NOT NULL,
    desk TEXT NOT NULL,
    language TEXT NOT NULL,
    at TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (number_index)
);
CREATE TABLE upheld (
    number_index BLOB NOT NULL,
    line TEXT NOT NULL,
    purpose TEXT NOT NULL,
    desk TEXT NOT NULL,
    at TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (number_index, line, purpose)
);
CREATE TABLE past_calls (
    call TEXT NOT NULL,
    desk TEXT NOT NULL,
    agent TEXT NOT NULL,
    at TEXT NOT NULL,
    until TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (call)
);
CREATE TABLE sample_runs (
    line TEXT NOT NULL,
    agent TEXT NOT NULL,
    desk TEXT NOT NULL,
    number INTEGER NOT NULL,
    seed BLOB NOT NULL,
    share TEXT NOT NULL,
    block INTEGER NOT NULL,
    start INTEGER NOT NULL,
    next INTEGER NOT NULL,
    taken TEXT NOT NULL,
    until TEXT,
    PRIMARY KEY (line, agent)
);
CREATE TABLE sample_tallies (
    desk TEXT NOT NULL,
    line TEXT NOT NULL,
    agent TEXT NOT NULL,
    month TEXT NOT NULL,
    what TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (desk, line, agent, month, what)
);
CREATE TABLE condemned (
    recording TEXT NOT NULL,
    desk TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (recording)
);
CREATE TABLE touched (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    desk TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    UNIQUE (kind, id)
)
"""
_INDEXES = """
CREATE INDEX ix_calls_number_index ON calls (number_index);
CREATE INDEX ix_recordings_agent ON recordings (agent, opened_at, recording);
CREATE INDEX ix_recordings_call ON recordings (call);
CREATE INDEX ix_recordings_line ON recordings (line, opened_at, recording);
CREATE INDEX ix_recordings_opened_at ON recordings (opened_at, recording);
CREATE INDEX ix_recordings_restricted ON recordings (recording) WHERE restricted IS NOT NULL;
CREATE INDEX ix_recordings_unfinished ON recordings (recording) WHERE closed_at IS NULL AND broke_off_at IS NULL;
CREATE INDEX ix_wraps_key ON wraps (key_id, role, recording, segment);
CREATE UNIQUE INDEX ix_wraps_slot ON wraps (slot);
CREATE INDEX ix_purposes_due ON purposes (coalesce(judge_by, expires_on), recording) WHERE stands = 'keeps';
CREATE INDEX ix_purposes_ends ON purposes (recording, expires_on) WHERE stands = 'keeps';
CREATE INDEX ix_purposes_expires_on ON purposes (expires_on);
CREATE INDEX ix_purposes_grounds ON purposes (recording) WHERE reason = 'grounds_given';
CREATE INDEX ix_purposes_to_judge ON purposes (expires_on, recording) WHERE stands = 'keeps' AND at_end = 'review';
CREATE INDEX ix_purposes_to_review ON purposes (expires_on)
    WHERE purpose = 'training' AND stands = 'keeps' AND reviewed_at IS NULL;
CREATE INDEX ix_purposes_training ON purposes (recording, expires_on, reviewed_at)
    WHERE purpose = 'training' AND stands = 'keeps';
CREATE INDEX ix_purposes_training_period ON purposes (retention) WHERE purpose = 'training' AND stands = 'keeps';
CREATE INDEX ix_holds_recording ON holds (recording);
CREATE INDEX ix_holds_standing ON holds (recording) WHERE lifted_at IS NULL;
CREATE INDEX ix_review_comments_recording ON review_comments (recording);
CREATE INDEX ix_audit_call ON audit (call);
CREATE INDEX ix_audit_recording ON audit (recording);
CREATE INDEX ix_call_backs_number_index ON call_backs (number_index);
CREATE INDEX ix_past_calls_agent ON past_calls (agent, at);
CREATE INDEX ix_sample_tallies_month ON sample_tallies (month)
"""
_KEPT = "WHEN OLD.number > coalesce((SELECT number FROM audit_begins WHERE desk = OLD.desk), 0) "
"""what has not gone in its time"""
_UPHELD = "hex(NEW.number_index) || ' ' || NEW.purpose || ' ' || NEW.line"
_TOUCHES = (
    (
        "wrap_gone",
        "DELETE ON wraps",
        "recording",
        "OLD.recording",
        "OLD.desk",
        "NOT EXISTS (SELECT 1 FROM wraps WHERE wraps.recording = OLD.recording AND wraps.role = OLD.role) AND ",
    ),
    ("gone", "DELETE ON recordings", "recording", "OLD.recording", "OLD.desk", ""),
    ("changed", "UPDATE OF restricted ON recordings", "recording", "OLD.recording", "OLD.desk", ""),
    ("purpose", "UPDATE ON purposes", "recording", "OLD.recording", "OLD.desk", ""),
    ("held", "INSERT ON holds", "recording", "NEW.recording", "NEW.desk", ""),
    ("hold_changed", "UPDATE ON holds", "recording", "NEW.recording", "NEW.desk", ""),
    ("comment_gone", "DELETE ON review_comments", "comment", "OLD.comment", "OLD.desk", ""),
    ("review_changed", "UPDATE ON reviews", "recording", "OLD.recording", "OLD.desk", ""),
    ("review_gone", "DELETE ON reviews", "recording", "OLD.recording", "OLD.desk", ""),
    ("score_changed", "UPDATE ON review_scores", "recording", "OLD.recording", "OLD.desk", ""),
    ("score_gone", "DELETE ON review_scores", "recording", "OLD.recording", "OLD.desk", ""),
    ("call_back_gone", "DELETE ON call_backs", "call_back", "OLD.call", "OLD.desk", ""),
    ("refused", "INSERT ON refusals", "refusal", "hex(NEW.number_index)", "NEW.desk", ""),
    ("upheld", "INSERT ON upheld", "upheld", _UPHELD, "NEW.desk", ""),
    ("revoked", "INSERT ON meta", "revoked", "substr(NEW.name, 9)", "''", "NEW.name LIKE 'revoked-%' AND "),
    ("signer", "INSERT ON meta", "signer", "NEW.name", "''", "NEW.name = 'policy-signer' AND "),
    ("signer_gone", "DELETE ON meta", "signer", "OLD.name", "''", "OLD.name = 'policy-signer' AND "),
)
"""what a backup must hear of: name, event, kind, id, desk, condition"""


def upgrade() -> None:
    for statement in (*_TABLES.split(";"), *_INDEXES.split(";")):
        op.execute(statement.strip())
    for deed, when in (("update", ""), ("delete", _KEPT)):
        op.execute(
            f"CREATE TRIGGER audit_no_{deed} BEFORE {deed.upper()} ON audit {when}"
            "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        )
    for name, event, kind, which, desk, when in _TOUCHES:
        op.execute(
            f"CREATE TRIGGER touched_{name} AFTER {event} WHEN {when}"  # noqa: S608 - all of it stands above
            "EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN "
            f"DELETE FROM touched WHERE kind = '{kind}' AND id = {which}; "
            f"INSERT INTO touched (desk, kind, id) VALUES ({desk}, '{kind}', {which}); END"
        )
