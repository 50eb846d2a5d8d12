"""Who took a call; what a review says of it; what became of the sample; what is to be judged; and what is
searched by.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_LAST = "NOT EXISTS (SELECT 1 FROM wraps WHERE wraps.recording = OLD.recording AND wraps.role = OLD.role) AND "
_TOUCHES = (
    ("wrap_gone", "DELETE ON wraps", "recording", "OLD.recording", "OLD.desk", _LAST),
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
    ("revoked", "INSERT ON meta", "revoked", "substr(NEW.name, 9)", "''", "NEW.name LIKE 'revoked-%' AND "),
)
_SCOURED = (
    "wraps",
    "recordings",
    "calls",
    "call_backs",
    "refusals",
    "party_languages",
    "reviews",
    "review_comments",
    "review_scores",
    "audit",
)


def upgrade() -> None:
    op.add_column("calls", sa.Column("agent", sa.Text))
    op.add_column("purposes", sa.Column("at_end", sa.Text, nullable=False, server_default="delete"))
    op.add_column("purposes", sa.Column("keep_reviewed", sa.Text))
    op.add_column("purposes", sa.Column("judge_by", sa.Text))
    op.create_table(
        "reviews",
        sa.Column("recording", sa.Text, sa.ForeignKey("recordings.recording"), primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("shared", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "review_comments",
        sa.Column("comment", sa.Text, primary_key=True),
        sa.Column("recording", sa.Text, sa.ForeignKey("recordings.recording"), nullable=False, index=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("sample", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "review_scores",
        sa.Column("recording", sa.Text, sa.ForeignKey("recordings.recording"), primary_key=True),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "sample_tallies",
        sa.Column("desk", sa.Text, primary_key=True),
        sa.Column("line", sa.Text, primary_key=True),
        sa.Column("agent", sa.Text, primary_key=True),
        sa.Column("month", sa.Text, primary_key=True),
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_index("ix_recordings_opened_at", "recordings", ["opened_at", "recording"])
    op.add_column("recordings", sa.Column("line", sa.Text))
    op.add_column("recordings", sa.Column("agent", sa.Text))
    op.execute("UPDATE recordings SET line = (SELECT calls.line FROM calls WHERE calls.call = recordings.call)")
    op.create_index("ix_recordings_line", "recordings", ["line", "opened_at", "recording"])
    op.create_index("ix_recordings_agent", "recordings", ["agent", "opened_at", "recording"])
    op.create_index(
        "ix_purposes_due",
        "purposes",
        [sa.text("coalesce(judge_by, expires_on)"), "recording"],
        sqlite_where=sa.text("stands = 'keeps'"),
    )
    op.create_index(
        "ix_purposes_to_judge",
        "purposes",
        ["expires_on", "recording"],
        sqlite_where=sa.text("stands = 'keeps' AND at_end = 'review'"),
    )
    op.create_index(
        "ix_purposes_training_period",
        "purposes",
        ["retention"],
        sqlite_where=sa.text("purpose = 'training' AND stands = 'keeps'"),
    )
    op.create_index(
        "ix_recordings_unfinished",
        "recordings",
        ["recording"],
        sqlite_where=sa.text("closed_at IS NULL AND broke_off_at IS NULL"),
    )
    op.create_index("ix_holds_standing", "holds", ["recording"], sqlite_where=sa.text("lifted_at IS NULL"))
    op.create_index("ix_wraps_key", "wraps", ["key_id", "role", "recording", "segment"])
    op.add_column("audit", sa.Column("state", sa.Text))
    op.add_column("sample_runs", sa.Column("until", sa.Text))
    op.execute("UPDATE sample_runs SET until = date('now', '+12 months')")
    op.create_index("ix_audit_recording", "audit", ["recording"])
    op.create_index("ix_audit_call", "audit", ["call"])
    op.create_index(
        "ix_purposes_training",
        "purposes",
        ["recording", "expires_on", "reviewed_at"],
        sqlite_where=sa.text("purpose = 'training' AND stands = 'keeps'"),
    )
    # What a backup must hear of: the recording's terms as they are then are looked up when it is told, never kept here.
    op.execute(
        "CREATE TABLE touched (seq INTEGER PRIMARY KEY AUTOINCREMENT, desk TEXT NOT NULL, kind TEXT NOT NULL, "
        "id TEXT NOT NULL, UNIQUE (kind, id))"
    )
    for name, event, kind, which, desk, when in _TOUCHES:
        op.execute(
            f"CREATE TRIGGER touched_{name} AFTER {event} WHEN {when} "  # noqa: S608 - all of it stands above
            "EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN "
            f"DELETE FROM touched WHERE kind = '{kind}' AND id = {which}; "
            f"INSERT INTO touched (desk, kind, id) VALUES ({desk}, '{kind}', {which}); END"
        )
    # What was deleted is still in a page until the catalog has been scoured: in the same transaction, whoever deletes.
    for table in _SCOURED:
        op.execute(
            f"CREATE TRIGGER to_scour_{table} AFTER DELETE ON {table} BEGIN "  # noqa: S608 - all of it stands above
            "INSERT OR REPLACE INTO meta (name, value) VALUES ('to-scour', hex(randomblob(8))); END"
        )
