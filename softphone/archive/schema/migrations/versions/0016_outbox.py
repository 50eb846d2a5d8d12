"""What a desk has yet to tell the house that it belongs to, and what it has shipped there already."""

from alembic import op

revision = "0016"
down_revision = "0015"

_STATEMENTS = """
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
CREATE INDEX ix_outbox_recording ON outbox (recording);
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
CREATE INDEX ix_shipped_copy ON shipped (copy, head)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement.strip())
