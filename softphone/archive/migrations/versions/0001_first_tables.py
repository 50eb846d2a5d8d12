"""The first tables. The audit log can only grow, as far as the database itself can hold that."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("meta", sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))
    op.create_table(
        "calls",
        sa.Column("call", sa.Text, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("line", sa.Text),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("number_sealed", sa.LargeBinary),
        sa.Column("number_index", sa.LargeBinary, index=True),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("notice", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
    )
    op.create_table(
        "recordings",
        sa.Column("recording", sa.Text, primary_key=True),
        sa.Column("call", sa.Text, sa.ForeignKey("calls.call"), nullable=False, index=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("opened_at", sa.Text, nullable=False),
        sa.Column("closed_at", sa.Text),
        sa.Column("restricted", sa.Text),
    )
    op.create_table(
        "purposes",
        sa.Column("recording", sa.Text, sa.ForeignKey("recordings.recording"), primary_key=True),
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("basis", sa.Text),
        sa.Column("retention", sa.Text),
        sa.Column("expires_on", sa.Text, index=True),
        sa.Column("stands", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_table(
        "segments",
        sa.Column("recording", sa.Text, sa.ForeignKey("recordings.recording"), primary_key=True),
        sa.Column("segment", sa.Integer, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("opened_at", sa.Text, nullable=False),
        sa.Column("purposes", sa.Text, nullable=False),
    )
    op.create_table(
        "wraps",
        sa.Column("recording", sa.Text, primary_key=True),
        sa.Column("segment", sa.Integer, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("suite", sa.Text, nullable=False),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["recording", "segment"], ["segments.recording", "segments.segment"]),
    )
    op.create_table(
        "holds",
        sa.Column("hold", sa.Text, primary_key=True),
        sa.Column("recording", sa.Text, sa.ForeignKey("recordings.recording"), nullable=False, index=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("raised_for", sa.Text, nullable=False),
        sa.Column("raised_by", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("provisional_until", sa.Text),
        sa.Column("confirm_by", sa.Text),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("lifted_at", sa.Text),
        sa.Column("lifted_reason", sa.Text),
    )
    op.create_table(
        "audit",
        sa.Column("desk", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, sa.CheckConstraint("rule <> ''"), nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("recording", sa.Text),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    for deed in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{deed.lower()} BEFORE {deed} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        )
    op.create_table(
        "call_backs",
        sa.Column("call", sa.Text, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("number_sealed", sa.LargeBinary),
        sa.Column("number_index", sa.LargeBinary, index=True),
        sa.Column("line", sa.Text),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "refusals",
        sa.Column("number_index", sa.LargeBinary, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
    )
    op.create_table(
        "condemned",
        sa.Column("recording", sa.Text, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
