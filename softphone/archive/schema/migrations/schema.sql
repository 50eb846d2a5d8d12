CREATE INDEX ix_audit_call ON audit (call);

CREATE INDEX ix_audit_recording ON audit (recording);

CREATE INDEX ix_call_backs_number_index ON call_backs (number_index);

CREATE INDEX ix_calls_number_index ON calls (number_index);

CREATE INDEX ix_holds_recording ON holds (recording);

CREATE INDEX ix_holds_standing ON holds (recording) WHERE lifted_at IS NULL;

CREATE INDEX ix_outbox_recording ON outbox (recording);

CREATE INDEX ix_past_calls_agent ON past_calls (agent, at);

CREATE INDEX ix_past_calls_number_index ON past_calls (number_index) WHERE number_index IS NOT NULL;

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

CREATE INDEX ix_recordings_agent ON recordings (agent, opened_at, recording);

CREATE INDEX ix_recordings_call ON recordings (call);

CREATE INDEX ix_recordings_line ON recordings (line, opened_at, recording);

CREATE INDEX ix_recordings_opened_at ON recordings (opened_at, recording);

CREATE INDEX ix_recordings_restricted ON recordings (recording) WHERE restricted IS NOT NULL;

CREATE INDEX ix_recordings_unfinished ON recordings (recording) WHERE closed_at IS NULL AND broke_off_at IS NULL;

CREATE INDEX ix_review_comments_recording ON review_comments (recording);

CREATE INDEX ix_sample_tallies_month ON sample_tallies (month);

CREATE INDEX ix_shipped_copy ON shipped (copy, head);

CREATE INDEX ix_wraps_key ON wraps (key_id, role, recording, segment);

CREATE UNIQUE INDEX ix_wraps_slot ON wraps (slot);

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
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
    agent TEXT, call_group TEXT,
    PRIMARY KEY (call)
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

CREATE TABLE condemned (
    recording TEXT NOT NULL,
    desk TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (recording)
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

CREATE TABLE meta (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE outbox (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    desk TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    call TEXT,
    recording TEXT,
    told TEXT NOT NULL,
    number_sealed BLOB,
    at TEXT NOT NULL,
    failed TEXT,
    UNIQUE (id)
);

CREATE TABLE party_languages (
    number_index BLOB NOT NULL,
    desk TEXT NOT NULL,
    language TEXT NOT NULL,
    at TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (number_index)
);

CREATE TABLE past_calls (
    call TEXT NOT NULL,
    desk TEXT NOT NULL,
    agent TEXT NOT NULL,
    at TEXT NOT NULL,
    until TEXT NOT NULL,
    sealed BLOB NOT NULL, note BLOB, number_index BLOB,
    PRIMARY KEY (call)
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

CREATE TABLE refusals (
    number_index BLOB NOT NULL,
    desk TEXT NOT NULL,
    at TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (number_index)
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

CREATE TABLE reviews (
    recording TEXT NOT NULL,
    desk TEXT NOT NULL,
    shared INTEGER NOT NULL,
    at TEXT NOT NULL,
    "by" TEXT NOT NULL,
    PRIMARY KEY (recording),
    FOREIGN KEY (recording) REFERENCES recordings (recording)
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

CREATE TABLE shipped (
    recording TEXT NOT NULL,
    call TEXT NOT NULL,
    desk TEXT NOT NULL,
    at TEXT NOT NULL,
    state TEXT NOT NULL,
    copy TEXT DEFAULT 'here' NOT NULL,
    receipt TEXT,
    head INTEGER,
    head_hash TEXT,
    failed TEXT,
    until TEXT,
    PRIMARY KEY (recording)
);

CREATE TABLE touched (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    desk TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    UNIQUE (kind, id)
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

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit WHEN OLD.number > coalesce((SELECT number FROM audit_begins WHERE desk = OLD.desk), 0) BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;

CREATE TRIGGER touched_call_back_gone AFTER DELETE ON call_backs WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'call_back' AND id = OLD.call; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'call_back', OLD.call); END;

CREATE TRIGGER touched_held AFTER INSERT ON holds WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'recording' AND id = NEW.recording; INSERT INTO touched (desk, kind, id) VALUES (NEW.desk, 'recording', NEW.recording); END;

CREATE TRIGGER touched_hold_changed AFTER UPDATE ON holds WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'recording' AND id = NEW.recording; INSERT INTO touched (desk, kind, id) VALUES (NEW.desk, 'recording', NEW.recording); END;

CREATE TRIGGER touched_revoked AFTER INSERT ON meta WHEN NEW.name LIKE 'revoked-%' AND EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'revoked' AND id = substr(NEW.name, 9); INSERT INTO touched (desk, kind, id) VALUES ('', 'revoked', substr(NEW.name, 9)); END;

CREATE TRIGGER touched_signer AFTER INSERT ON meta WHEN NEW.name = 'policy-signer' AND EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'signer' AND id = NEW.name; INSERT INTO touched (desk, kind, id) VALUES ('', 'signer', NEW.name); END;

CREATE TRIGGER touched_signer_gone AFTER DELETE ON meta WHEN OLD.name = 'policy-signer' AND EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'signer' AND id = OLD.name; INSERT INTO touched (desk, kind, id) VALUES ('', 'signer', OLD.name); END;

CREATE TRIGGER touched_note_changed AFTER UPDATE OF note ON past_calls WHEN OLD.note IS NOT NULL AND EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'note' AND id = OLD.call; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'note', OLD.call); END;

CREATE TRIGGER touched_note_gone AFTER DELETE ON past_calls WHEN OLD.note IS NOT NULL AND EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'note' AND id = OLD.call; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'note', OLD.call); END;

CREATE TRIGGER touched_purpose AFTER UPDATE ON purposes WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'recording' AND id = OLD.recording; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'recording', OLD.recording); END;

CREATE TRIGGER touched_changed AFTER UPDATE OF restricted ON recordings WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'recording' AND id = OLD.recording; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'recording', OLD.recording); END;

CREATE TRIGGER touched_gone AFTER DELETE ON recordings WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'recording' AND id = OLD.recording; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'recording', OLD.recording); END;

CREATE TRIGGER touched_refused AFTER INSERT ON refusals WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'refusal' AND id = hex(NEW.number_index); INSERT INTO touched (desk, kind, id) VALUES (NEW.desk, 'refusal', hex(NEW.number_index)); END;

CREATE TRIGGER touched_comment_gone AFTER DELETE ON review_comments WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'comment' AND id = OLD.comment; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'comment', OLD.comment); END;

CREATE TRIGGER touched_score_changed AFTER UPDATE ON review_scores WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'recording' AND id = OLD.recording; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'recording', OLD.recording); END;

CREATE TRIGGER touched_score_gone AFTER DELETE ON review_scores WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'recording' AND id = OLD.recording; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'recording', OLD.recording); END;

CREATE TRIGGER touched_review_changed AFTER UPDATE ON reviews WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'recording' AND id = OLD.recording; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'recording', OLD.recording); END;

CREATE TRIGGER touched_review_gone AFTER DELETE ON reviews WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'recording' AND id = OLD.recording; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'recording', OLD.recording); END;

CREATE TRIGGER touched_upheld AFTER INSERT ON upheld WHEN EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'upheld' AND id = hex(NEW.number_index) || ' ' || NEW.purpose || ' ' || NEW.line; INSERT INTO touched (desk, kind, id) VALUES (NEW.desk, 'upheld', hex(NEW.number_index) || ' ' || NEW.purpose || ' ' || NEW.line); END;

CREATE TRIGGER touched_wrap_gone AFTER DELETE ON wraps WHEN NOT EXISTS (SELECT 1 FROM wraps WHERE wraps.recording = OLD.recording AND wraps.role = OLD.role) AND EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN DELETE FROM touched WHERE kind = 'recording' AND id = OLD.recording; INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'recording', OLD.recording); END;
