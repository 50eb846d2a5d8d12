"""The wraps' sealed keys lie in a file of their own; what an unreleased version had sealed in the database is not taken over."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
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
    "past_calls",
    "upheld",
)


def upgrade() -> None:
    for table in _SCOURED:
        op.execute(f"DROP TRIGGER IF EXISTS to_scour_{table}")
    op.execute("DROP TABLE wraps")
    op.execute("DROP TRIGGER slots_stay")
    op.execute("DROP TABLE slots")
    op.create_table(
        "wraps",
        sa.Column("recording", sa.Text, primary_key=True),
        sa.Column("segment", sa.Integer, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("suite", sa.Text, nullable=False),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["recording", "segment"], ["segments.recording", "segments.segment"]),
    )
    op.create_index("ix_wraps_key", "wraps", ["key_id", "role", "recording", "segment"])
    op.create_index("ix_wraps_slot", "wraps", ["slot"], unique=True)
    op.execute(
        "CREATE TRIGGER touched_wrap_gone AFTER DELETE ON wraps WHEN "
        "NOT EXISTS (SELECT 1 FROM wraps WHERE wraps.recording = OLD.recording AND wraps.role = OLD.role) AND "
        "EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN "
        "DELETE FROM touched WHERE kind = 'recording' AND id = OLD.recording; "
        "INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'recording', OLD.recording); END"
    )
