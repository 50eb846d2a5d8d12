"""Where a log begins whose first part has gone in its time, and what custody has decided of a hold."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "audit_begins",
        sa.Column("desk", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
    )
    op.execute("DROP TRIGGER audit_no_delete")
    op.execute(
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "WHEN OLD.number > coalesce((SELECT number FROM audit_begins WHERE desk = OLD.desk), 0) "
        "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
    )
    op.add_column("holds", sa.Column("confirmed_at", sa.Text))
    op.add_column("holds", sa.Column("look_again", sa.Text))
    op.create_index(
        "ix_purposes_ends", "purposes", ["recording", "expires_on"], sqlite_where=sa.text("stands = 'keeps'")
    )
